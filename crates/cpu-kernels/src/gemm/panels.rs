#![expect(unsafe_code, reason = "the transposition takes a pointer")]

use std::ops::Range;

use super::blocks::{Block, Blocks};
use super::kernel::{PANEL, ROW_STRIDE};
use super::matrix::Matrix;
use super::method::Method;
use super::rows::write_rows;
use crate::transpose::transpose;

/// Writes a panel whose columns are `rows`, up to 16 of them, of a matrix: `[words][16]`.
pub(super) fn write_row_panel(
    method: Method,
    matrix: Matrix<'_>,
    rows: Range<usize>,
    blocks: Blocks,
    out: &mut [f32],
) {
    let n_rows = rows.len();
    let mut row_words = [0.0; PANEL * ROW_STRIDE];
    for block in blocks.iter() {
        write_rows(method, matrix, rows.clone(), &block, &mut row_words);
        let out = &mut out[block.start * PANEL..][..block.depth * PANEL];
        if n_rows < PANEL {
            out.fill(0.0);
        }
        for (i, lines) in out.chunks_exact_mut(PANEL * PANEL).enumerate() {
            let from = &row_words[i * PANEL..];
            // SAFETY: `lines` has 16 rows of 16 values.
            unsafe {
                let isa = method.kernel.isa;
                transpose(isa, from, ROW_STRIDE, (n_rows, PANEL), lines.as_mut_ptr(), PANEL);
            }
        }
    }
}

/// Writes one block of the columns `cols` of a matrix whose rows run in the direction of the sum:
/// panels of `[depth][16]`, `stride` words apart.
pub(super) fn write_column_panels(
    method: Method,
    matrix: Matrix<'_>,
    cols: Range<usize>,
    block: &Block,
    out: &mut [f32],
    stride: usize,
) {
    for depth in 0..block.depth {
        let out = &mut out[depth * PANEL..];
        let rows = block.word(depth);
        if rows.is_empty() {
            out.chunks_mut(stride).for_each(|panel| panel[..PANEL].fill(0.0));
        } else {
            matrix.write_lines(method, rows, cols.clone(), out, stride);
        }
    }
}
