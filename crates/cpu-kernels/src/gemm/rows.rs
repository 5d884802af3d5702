use std::ops::Range;

use super::blocks::Block;
use super::kernel::ROW_STRIDE;
use super::matrix::Matrix;
use super::method::Method;

/// Writes one block of each of `rows` as words, [`ROW_STRIDE`] apart.
pub(super) fn write_rows(
    method: Method,
    matrix: Matrix<'_>,
    rows: Range<usize>,
    block: &Block,
    out: &mut [f32],
) {
    for (row, out) in rows.zip(out.chunks_mut(ROW_STRIDE)) {
        matrix.write_row(method, row, block.values.clone(), &mut out[..block.depth]);
    }
}
