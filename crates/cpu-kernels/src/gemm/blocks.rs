use std::ops::Range;

use super::kernel::{BLOCK, PANEL, Word};

/// How the direction of the sum is cut into blocks. It follows from length and word alone, so every thread count,
/// every number of rows and every tile adds in the same order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    len: usize,
    per_word: usize,
    /// Words of a block.
    size: usize,
}

/// A stretch of the direction of the sum.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The values.
    pub(super) values: Range<usize>,
    per_word: usize,
    /// Words before this block.
    pub(super) start: usize,
    /// Words of this block, a multiple of 16; zeros fill up the last one.
    pub(super) depth: usize,
}

impl Blocks {
    /// Blocks of about the same length, which begin where a block of quantized values of a row may begin.
    pub(super) fn new(len: usize, word: Word) -> Self {
        let per_word = match word {
            Word::F32 => 1,
            Word::Bf16Pair => 2,
        };
        let words = len.div_ceil(per_word);
        let size = words.div_ceil(words.div_ceil(BLOCK).max(1)).next_multiple_of(64);
        Self { len, per_word, size }
    }

    /// Words of all blocks.
    pub(super) fn words(self) -> usize {
        self.len.div_ceil(self.per_word).next_multiple_of(PANEL)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Block> {
        (0..self.words()).step_by(self.size.max(1)).map(move |start| {
            let values = start * self.per_word..((start + self.size) * self.per_word).min(self.len);
            Block {
                values,
                per_word: self.per_word,
                start,
                depth: self.size.min(self.words() - start),
            }
        })
    }
}

impl Block {
    /// The values of word `depth`: none where only zeros fill up.
    pub(super) fn word(&self, depth: usize) -> Range<usize> {
        let end = self.values.end;
        let start = self.values.start + depth * self.per_word;
        start.min(end)..end.min(start + self.per_word)
    }
}
