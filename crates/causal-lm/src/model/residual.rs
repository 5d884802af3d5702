use burn::tensor::Tensor;
use cpu_kernels::ComputeDtype;
use lora_linear::{Dropout, LoraLinear};

use super::RmsNorm;
use crate::ops::DecoderBackend;

/// The residual stream, which attention and feed-forward add to.
#[derive(Clone, Debug)]
pub struct Residual<'a, B: DecoderBackend> {
    /// `[tokens, hidden]`.
    pub stream: Tensor<B, 2>,
    /// What is added goes through this first, where the family has it.
    pub norm: Option<&'a RmsNorm<B>>,
}

impl<B: DecoderBackend> Residual<'_, B> {
    /// The stream, and on top of it `x` through its projection back, `[tokens, hidden]`.
    pub(super) fn add(
        self,
        x: Tensor<B, 2>,
        projection: &LoraLinear<B>,
        compute: ComputeDtype,
        dropout: Option<Dropout>,
    ) -> Tensor<B, 2> {
        match self.norm {
            None => projection.forward_onto(self.stream, x, compute, dropout),
            Some(norm) => self.stream + norm.forward(projection.forward(x, compute, dropout)),
        }
    }
}
