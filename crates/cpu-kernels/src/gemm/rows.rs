use std::ops::Range;

use super::blocks::Block;
use super::kernel::{BLOCK, ROW_STRIDE, Word};
use super::method::Method;
use super::segments::Segments;
use super::words;

/// Writes one block of each of `rows` as words, [`ROW_STRIDE`] apart; zeros fill up the depth.
pub(super) fn write_rows(
    method: Method,
    source: &impl Segments,
    rows: Range<usize>,
    block: &Block,
    out: &mut [f32],
) {
    for (row, out) in rows.zip(out.chunks_mut(ROW_STRIDE)) {
        let out = &mut out[..block.depth];
        let len = block.values.len();
        match method.kernel.word {
            Word::F32 => {
                source.segment(row, block.values.clone(), &mut out[..len]);
                out[len..].fill(0.0);
                if method.rounded {
                    words::round(out);
                }
            }
            Word::Bf16Pair => {
                let mut values = [0.0; 2 * BLOCK];
                source.segment(row, block.values.clone(), &mut values[..len]);
                words::adjacent_pairs(&values[..len], out);
            }
        }
    }
}
