use burn::tensor::Tensor;

use crate::ops::{self, DecoderBackend};

/// A root mean square norm.
#[derive(Clone, Debug)]
pub struct RmsNorm<B: DecoderBackend> {
    /// `[width]`.
    pub weight: Tensor<B, 1>,
    /// What is added to the mean square.
    pub eps: f32,
}

impl<B: DecoderBackend> RmsNorm<B> {
    /// Each row of `x`, `[rows, width]`.
    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        ops::rms_norm(x, self.weight.clone(), self.eps)
    }

    /// Each head of each row of `x`, `[rows, heads · width]`.
    pub fn forward_heads(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let ([rows, all], [width]) = (x.dims(), self.weight.dims());
        self.forward(x.reshape([rows * (all / width), width])).reshape([rows, all])
    }
}
