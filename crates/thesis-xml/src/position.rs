/// Turns byte offsets into lines and columns; it counts from the last offset asked for, so that
/// neighbours are cheap even in a file of one line.
#[derive(Debug)]
pub(crate) struct Positions<'a> {
    text: &'a str,
    /// The last offset asked for, its line, and its column, both from 1.
    last: (usize, u64, u64),
}

impl<'a> Positions<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, last: (0, 1, 1) }
    }

    /// Line and column of `offset`, both from 1, the column in characters.
    pub(crate) fn line_and_column(&mut self, offset: usize) -> (u64, u64) {
        let offset = offset.min(self.text.len());
        let bytes = self.text.as_bytes();
        let (last, line, column) = self.last;
        let position = if offset >= last {
            let between = &bytes[last..offset];
            match memchr::memrchr(b'\n', between) {
                None => (line, column + characters(between)),
                Some(newline) => {
                    (line + newlines(between), 1 + characters(&between[newline + 1..]))
                }
            }
        } else {
            let between = &bytes[offset..last];
            if memchr::memchr(b'\n', between).is_none() {
                (line, column - characters(between))
            } else {
                let begin =
                    memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |newline| newline + 1);
                (line - newlines(between), 1 + characters(&bytes[begin..offset]))
            }
        };
        self.last = (offset, position.0, position.1);
        position
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// How many characters begin in `bytes`: all bytes but the continuation bytes of UTF-8.
fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&b| b & 0xC0 != 0x80).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_in_any_order() {
        let text = "ab\nçd\n\nx";
        let mut positions = Positions::new(text);
        for (offset, want) in [
            (0, (1, 1)),
            (2, (1, 3)),
            (5, (2, 2)),
            (8, (4, 1)),
            (3, (2, 1)),
            (6, (2, 3)),
            (7, (3, 1)),
            (99, (4, 2)),
            (0, (1, 1)),
        ] {
            assert_eq!(positions.line_and_column(offset), want, "{offset}");
        }
    }
}
