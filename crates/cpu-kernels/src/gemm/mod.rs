//! Products of many rows with a frozen weight, in the manner of BLIS: panels, blocks that fit the caches, and a
//! micro-kernel that keeps its sums in registers. A weight is unpacked block by block into memory that threads keep,
//! so no dense copy of it ever exists.

mod blocks;
mod forward;
mod kernel;
mod matrix;
mod method;
mod panels;
mod rows;
mod scratch;
mod shared_out;
mod task_size;
#[cfg(test)]
mod tests;
mod transposed;

use std::ops::Range;

use method::Method;

use crate::{ComputeDtype, FrozenWeight, Output};

/// The name of the kernel that multiplies many rows on this processor, for logs.
pub fn gemm_kernel(compute: ComputeDtype) -> &'static str {
    Method::best(compute).kernel.name
}

/// `out = x · Wᵀ` for each weight: `x` is `[m, k]`, every weight `[n, k]`, every output `[m, n]`.
///
/// A value depends on its row of `x` and its row of the weight alone: it is summed in blocks of up to 256 words in the order of
/// `k`, whatever `m`, `n` and the threads are.
///
/// # Panics
/// Where a length does not fit these shapes, or the weights differ in their width.
pub(crate) fn products(x: &[f32], m: usize, compute: ComputeDtype, outputs: &mut [Output<'_>]) {
    for Output { weight, out } in outputs.iter() {
        assert_eq!(x.len(), m * weight.cols(), "an input of another length");
        assert_eq!(out.len(), m * weight.rows(), "an output of another length");
    }
    let Some(k) = outputs.first().map(|output| output.weight.cols()) else { return };
    for rows in pieces(m, k) {
        let mut outputs: Vec<_> = outputs
            .iter_mut()
            .map(|Output { weight, out }| {
                let n = weight.rows();
                Output { weight, out: &mut out[rows.start * n..rows.end * n] }
            })
            .collect();
        let x = &x[rows.start * k..rows.end * k];
        forward::products(Method::best(compute), x, rows.len(), &mut outputs);
    }
}

/// `out = dy · W`: `dy` is `[m, n]`, the weight `[n, k]`, the output `[m, k]`. Summed as in [`products`], in the order of `n`.
///
/// # Panics
/// Where a length does not fit these shapes.
pub(crate) fn product_transposed(
    dy: &[f32],
    m: usize,
    weight: &FrozenWeight,
    compute: ComputeDtype,
    out: &mut [f32],
) {
    assert_eq!(dy.len(), m * weight.rows(), "an input of another length");
    assert_eq!(out.len(), m * weight.cols(), "an output of another length");
    let (n, k) = (weight.rows(), weight.cols());
    // Only so much of a row is laid out at once.
    let at_once = n.min(transposed::FEWEST_BLOCKS * kernel::BLOCK);
    for rows in pieces(m, at_once) {
        let dy = &dy[rows.start * n..rows.end * n];
        let out = &mut out[rows.start * k..rows.end * k];
        transposed::product_transposed(Method::best(compute), dy, rows.len(), weight, out);
    }
}

/// Rows that are laid out at once, of `m` rows of `cols` values: so many that unpacking the weight once more is nothing beside
/// the product, so few that threads need not keep memory for a whole layer of logits.
fn pieces(m: usize, cols: usize) -> impl Iterator<Item = Range<usize>> {
    /// 64 MiB of words.
    const MAX_VALUES: usize = 1 << 24;
    let rows = (MAX_VALUES / cols.max(1)).clamp(128, 1 << 20);
    (0..m).step_by(rows).map(move |start| start..m.min(start + rows))
}
