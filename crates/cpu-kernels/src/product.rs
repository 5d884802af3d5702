use crate::cpu_features::Isa;
use crate::{ComputeDtype, FrozenWeight, few_rows, gemm};

/// One weight that a shared input is multiplied by, and where the product goes.
#[derive(Debug)]
pub struct Output<'a> {
    /// The weight, `[n, k]`.
    pub weight: &'a FrozenWeight,
    /// The product, `[m, n]`; overwritten.
    pub out: &'a mut [f32],
}

/// `out = x · Wᵀ` for each weight: `x` is `[m, k]`, every weight `[n, k]`, every output `[m, n]`.
///
/// Several weights at once share the preparation of `x` and one distribution over threads.
///
/// With a few rows (decoding) the weights are read once and each output is summed in an order of its own: row `i` of
/// a product with up to 16 rows has the same bits whatever the other rows are.
///
/// # Panics
/// Where `x` or an output has another length than these shapes, or the weights differ in their width.
pub fn products(x: &[f32], m: usize, compute: ComputeDtype, outputs: &mut [Output<'_>]) {
    if m <= few_rows::MAX_ROWS {
        few_rows::products(Isa::detected(), x, m, compute, outputs);
    } else {
        gemm::products(x, m, compute, outputs);
    }
}

/// `out = dy · W`: `dy` is `[m, n]`, the weight `[n, k]`, the output `[m, k]`. The gradient of [`products`] with respect to `x`.
pub fn product_transposed(
    dy: &[f32],
    m: usize,
    weight: &FrozenWeight,
    compute: ComputeDtype,
    out: &mut [f32],
) {
    gemm::product_transposed(dy, m, weight, compute, out);
}
