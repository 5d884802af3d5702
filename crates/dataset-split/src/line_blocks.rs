use std::io::{self, Read};
use std::mem;

use memchr::{memchr_iter, memrchr};

/// Bytes read at once: large enough to share out among threads, small enough to stay in memory
/// twice.
const BLOCK_BYTES: usize = 8 << 20;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Cuts a stream into blocks of whole lines, and takes its digest on the way.
pub(crate) struct LineBlocks<R> {
    reader: R,
    hasher: blake3::Hasher,
    /// The beginning of a line whose end was not in the last block.
    rest: Vec<u8>,
    offset: u64,
    line: u64,
    done: bool,
}

/// Whole lines of a file.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// Where the block stands in the file, in bytes.
    pub(crate) offset: u64,
    /// Number of its first line, from 1.
    pub(crate) line: u64,
}

/// A line of a block, without its end.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a [u8],
    /// Where the text stands in the file, in bytes.
    pub(crate) offset: u64,
    /// Its number, from 1.
    pub(crate) number: u64,
}

impl<R: Read> LineBlocks<R> {
    pub(crate) fn new(reader: R) -> Self {
        let hasher = blake3::Hasher::new();
        Self { reader, hasher, rest: Vec::new(), offset: 0, line: 1, done: false }
    }

    /// The next block, or `None` at the end; `spare` is a block whose memory is used again.
    pub(crate) fn next_block(&mut self, spare: Block) -> io::Result<Option<Block>> {
        if self.done {
            return Ok(None);
        }
        let Block { mut bytes, .. } = spare;
        bytes.clear();
        bytes.append(&mut self.rest);
        loop {
            let read = self.reader.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut bytes)?;
            self.hasher.update(&bytes[bytes.len() - read..]);
            self.done = read == 0;
            let whole = match memrchr(b'\n', &bytes) {
                _ if self.done => bytes.len(),
                Some(at) => at + 1,
                None => continue,
            };
            self.rest.extend_from_slice(&bytes[whole..]);
            bytes.truncate(whole);
            break;
        }
        let (offset, line) = (self.offset, self.line);
        self.offset += bytes.len() as u64;
        self.line += memchr_iter(b'\n', &bytes).count() as u64;
        Ok(Some(Block { bytes, offset, line }))
    }

    /// The digest and size in bytes of what was read.
    pub(crate) fn digest(&self) -> (blake3::Hash, u64) {
        (self.hasher.finalize(), self.hasher.count())
    }
}

impl Block {
    /// The lines that have more than white space, without the mark of UTF-8 at a file's beginning.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::with_capacity(self.bytes.len() / 1024);
        let mut start = 0;
        let ends = memchr_iter(b'\n', &self.bytes).chain([self.bytes.len()]);
        for (number, end) in (self.line..).zip(ends) {
            let text = &self.bytes[mem::replace(&mut start, end + 1)..end];
            let mut offset = self.offset + (end - text.len()) as u64;
            let text = match text.strip_prefix(BOM) {
                Some(rest) if offset == 0 => {
                    offset = BOM.len() as u64;
                    rest
                }
                _ => text,
            };
            if !text.trim_ascii().is_empty() {
                lines.push(Line { text, offset, number });
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[(&str, u64, u64)]) {
        let mut blocks = LineBlocks::new(text.as_bytes());
        let mut got = Vec::new();
        while let Some(block) = blocks.next_block(Block::default()).unwrap() {
            for line in block.lines() {
                let text = String::from_utf8(line.text.trim_ascii().to_vec()).unwrap();
                got.push((text, line.offset, line.number));
            }
        }
        let want: Vec<_> = want.iter().map(|(t, o, n)| ((*t).to_owned(), *o, *n)).collect();
        assert_eq!(got, want, "{text:?}");
        assert_eq!(blocks.digest(), (blake3::hash(text.as_bytes()), text.len() as u64));
    }

    #[test]
    fn lines_with_their_places() {
        check("", &[]);
        check("\n \n", &[]);
        check("a\nb", &[("a", 0, 1), ("b", 2, 2)]);
        check("a\r\n\r\nb\r\n", &[("a", 0, 1), ("b", 5, 3)]);
        check("\u{feff}a\n\u{feff}b\n", &[("a", 3, 1), ("\u{feff}b", 5, 2)]);
    }

    #[test]
    fn lines_that_cross_blocks() {
        let long = "x".repeat(BLOCK_BYTES + 10);
        let text = format!("a\n{long}\n{long}");
        let second = 3 + long.len() as u64;
        check(&text, &[("a", 0, 1), (&long, 2, 2), (&long, second, 3)]);
    }
}
