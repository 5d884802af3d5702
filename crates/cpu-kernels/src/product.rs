use crate::{ComputeDtype, FrozenWeight, gemm};

/// Rows of an input for which unpacking a weight does not pay.
const MAX_FEW_ROWS: usize = 16;

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
pub fn products(x: &[f32], m: usize, compute: ComputeDtype, outputs: &mut [Output<'_>]) {
    if m > MAX_FEW_ROWS {
        return gemm::products(x, m, compute, outputs);
    }
    for Output { weight, out } in outputs {
        let (n, k) = (weight.rows(), weight.cols());
        let mut row = vec![0.0; k];
        for j in 0..n {
            weight.row(j, &mut row);
            for i in 0..m {
                out[i * n + j] = x[i * k..(i + 1) * k].iter().zip(&row).map(|(x, w)| x * w).sum();
            }
        }
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
