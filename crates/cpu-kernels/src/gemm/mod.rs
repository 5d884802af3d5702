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
mod transpose;
mod transposed;

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
    forward::products(Method::best(compute), x, m, outputs);
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
    transposed::product_transposed(Method::best(compute), dy, m, weight, out);
}
