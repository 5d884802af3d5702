use burn::tensor::Tensor;

use crate::lora::Dora;
use crate::{FrozenBackend, Lora, Weight};

/// How many outputs of the base are made dense at a time.
const CHUNK: usize = 256;

/// `magnitude / ‖W + scaling · B · A‖` for each output, `[1, outputs]`; the norm is a constant to the gradient.
///
/// Source: Liu et al. (2024), DoRA, section 4.3 for the constant norm.
pub(crate) fn magnitude_ratio<B: FrozenBackend>(
    base: &Weight<B>,
    lora: &Lora<B>,
    dora: &Dora<B>,
) -> Tensor<B, 2> {
    let norms = match &dora.fixed_norms {
        Some(norms) => norms.clone(),
        None => row_norms(base, lora),
    };
    (dora.magnitude.clone() / norms).unsqueeze::<2>()
}

/// The norm of each row of `W + scaling · B · A`, `[outputs]`, over chunks of rows: the sum is never held whole.
pub(crate) fn row_norms<B: FrozenBackend>(base: &Weight<B>, lora: &Lora<B>) -> Tensor<B, 1> {
    let (outputs, device) = (base.rows(), lora.a.device());
    let (a, b) = (lora.a.clone().detach(), lora.b.clone().detach());
    let chunks = (0..outputs).step_by(CHUNK).map(|start| {
        let end = (start + CHUNK).min(outputs);
        let ids: Vec<u32> = (start as u32..end as u32).collect();
        let delta =
            b.clone().narrow(0, start, end - start).matmul(a.clone()).mul_scalar(lora.scaling);
        let sum = base.select(&ids, &device) + delta;
        sum.powi_scalar(2).sum_dim(1).sqrt().squeeze_dim::<1>(1)
    });
    Tensor::cat(chunks.collect(), 0)
}
