use burn::tensor::Tensor;
use cpu_kernels::decoder::Activation;
use lora_linear::LoraLinear;

use super::{BlockInputs, Residual};
use crate::ops::{self, DecoderBackend};

/// `down(activation(gate(x)) · up(x))`.
#[derive(Clone, Debug)]
pub struct FeedForward<B: DecoderBackend> {
    /// The way in.
    pub gate_up: GateUpProjections<B>,
    /// The way out.
    pub down: LoraLinear<B>,
    /// The gate's activation.
    pub activation: Activation,
}

/// Gate and up, apart or as one projection.
#[derive(Clone, Debug)]
pub enum GateUpProjections<B: DecoderBackend> {
    /// Two projections.
    Separate {
        /// `[intermediate, hidden]`.
        gate: LoraLinear<B>,
        /// `[intermediate, hidden]`.
        up: LoraLinear<B>,
    },
    /// One projection, the rows of gate first: `[2 · intermediate, hidden]`.
    Fused(LoraLinear<B>),
}

impl<B: DecoderBackend> FeedForward<B> {
    /// Of `x`, `[tokens, hidden]`, onto the residual stream.
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        onto: Residual<'_, B>,
        inputs: &BlockInputs<'_, B>,
    ) -> Tensor<B, 2> {
        let [gate, up] = self.gate_up.forward(x, inputs);
        let gated = ops::gate(self.activation, gate, up);
        onto.add(gated, &self.down, inputs.compute, inputs.dropout_of(6))
    }
}

impl<B: DecoderBackend> GateUpProjections<B> {
    fn forward(&self, x: Tensor<B, 2>, inputs: &BlockInputs<'_, B>) -> [Tensor<B, 2>; 2] {
        let (compute, of) = (inputs.compute, |index| inputs.dropout_of(index));
        match self {
            Self::Separate { gate, up } => {
                LoraLinear::forward_many([gate, up], x, compute, [of(4), of(5)])
            }
            Self::Fused(both) => {
                let y = both.forward(x, compute, of(4));
                let width = y.dims()[1] / 2;
                [y.clone().narrow(1, 0, width), y.narrow(1, width, width)]
            }
        }
    }
}
