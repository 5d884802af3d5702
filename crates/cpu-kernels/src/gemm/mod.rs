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

/// `out = x · Wᵀ` for each weight: `x` is `[m, k]`, every weight `[n, k]`, every output `[m, n]`.
pub(crate) fn products(x: &[f32], m: usize, compute: ComputeDtype, outputs: &mut [Output<'_>]) {
    forward::products(Method::best(compute), x, m, outputs);
}

/// `out = dy · W`: `dy` is `[m, n]`, the weight `[n, k]`, the output `[m, k]`.
pub(crate) fn product_transposed(
    dy: &[f32],
    m: usize,
    weight: &FrozenWeight,
    compute: ComputeDtype,
    out: &mut [f32],
) {
    transposed::product_transposed(Method::best(compute), dy, m, weight, out);
}
