#![expect(unsafe_code, reason = "the transposition takes a pointer")]

use std::ops::Range;

use super::blocks::{Block, Blocks};
use super::kernel::{PANEL, ROW_STRIDE, Word};
use super::method::Method;
use super::rows::write_rows;
use super::segments::Segments;
use super::transpose::transpose;
use super::words;

/// Columns that [`write_column_panels`] takes at most.
pub(super) const MAX_COLS: usize = 256;

/// Writes a panel whose columns are `rows`, up to 16 of them, of the source: `[words][16]`.
pub(super) fn write_row_panel(
    method: Method,
    source: &impl Segments,
    rows: Range<usize>,
    blocks: Blocks,
    out: &mut [f32],
) {
    let n_rows = rows.len();
    let mut row_words = [0.0; PANEL * ROW_STRIDE];
    for block in blocks.iter() {
        write_rows(method, source, rows.clone(), &block, &mut row_words);
        let out = &mut out[block.start * PANEL..][..block.depth * PANEL];
        if n_rows < PANEL {
            out.fill(0.0);
        }
        for (i, lines) in out.chunks_exact_mut(PANEL * PANEL).enumerate() {
            let from = &row_words[i * PANEL..];
            // SAFETY: `lines` has 16 rows of 16 values.
            unsafe { transpose(from, ROW_STRIDE, (n_rows, PANEL), lines.as_mut_ptr(), PANEL) };
        }
    }
}

/// Writes one block of the columns `cols` of the source, whose rows run in the direction of the sum:
/// panels of `[depth][16]`, one after the other.
pub(super) fn write_column_panels(
    method: Method,
    source: &impl Segments,
    cols: Range<usize>,
    block: &Block,
    out: &mut [f32],
) {
    let len = cols.len();
    let mut buffers = [[0.0; MAX_COLS]; 2];
    let [first, second] = &mut buffers;
    let per_word = match method.kernel.word {
        Word::F32 => 1,
        Word::Bf16Pair => 2,
    };
    for d in 0..block.depth {
        let row = block.values.start + d * per_word;
        if row < block.values.end {
            source.segment(row, cols.clone(), &mut first[..len]);
        } else {
            first.fill(0.0);
        }
        let lines =
            out.chunks_mut(block.depth * PANEL).map(|panel| &mut panel[d * PANEL..][..PANEL]);
        match method.kernel.word {
            Word::F32 => {
                if method.rounded {
                    words::round(&mut first[..len]);
                }
                lines
                    .zip(first.chunks(PANEL))
                    .for_each(|(line, values)| line.copy_from_slice(values));
            }
            Word::Bf16Pair => {
                if row + 1 < block.values.end {
                    source.segment(row + 1, cols.clone(), &mut second[..len]);
                } else {
                    second.fill(0.0);
                }
                for (i, line) in lines.enumerate().take(len.div_ceil(PANEL)) {
                    words::row_pairs(
                        &first[i * PANEL..][..PANEL],
                        &second[i * PANEL..][..PANEL],
                        line,
                    );
                }
            }
        }
    }
}
