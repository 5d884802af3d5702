//! The graph of one block: from its input to its output, and back.

use burn::tensor::Tensor;
use burn_autodiff::Autodiff;

use super::lift;
use super::parameters::Parameters;
use crate::model::{BlockInputs, DecoderBlock, ParameterMut};
use crate::ops::DecoderBackend;
use crate::rope::Rotation;

/// A block that has run forward with a graph.
pub(super) struct BlockGraph<B: DecoderBackend> {
    block: DecoderBlock<Autodiff<B>>,
    input: Tensor<Autodiff<B>, 2>,
    output: Tensor<Autodiff<B>, 2>,
}

impl<B: DecoderBackend> BlockGraph<B> {
    /// Runs `block` on `input`, `[tokens, hidden]`; the gradient of the input is kept track of where it is wanted.
    pub(super) fn forward(
        block: &DecoderBlock<B>,
        input: Tensor<B, 2>,
        inputs: &BlockInputs<'_, B>,
        input_gradient: bool,
    ) -> Self {
        let block = lift::block(block);
        let rotations: Vec<_> = inputs.rotations.iter().map(with_graph).collect();
        let inputs = BlockInputs {
            rotations: &rotations,
            spans: inputs.spans,
            compute: inputs.compute,
            dropout: inputs.dropout,
        };
        let input = Tensor::from_inner(input);
        let input = if input_gradient { input.require_grad() } else { input };
        let output = block.forward(input.clone(), &inputs, None);
        Self { block, input, output }
    }

    /// What the block gives, `[tokens, hidden]`.
    pub(super) fn output(&self) -> Tensor<B, 2> {
        self.output.clone().inner()
    }

    /// Takes the gradient of the output to that of the input, and adds those of the block's parameters to `gradient`, the
    /// whole buffer.
    pub(super) fn backward(
        mut self,
        layer: usize,
        dy: Tensor<B, 2>,
        parameters: &Parameters,
        gradient: &mut [f32],
    ) -> Option<Tensor<B, 2>> {
        // The derivative of Σ y · dy with respect to y is dy.
        let mut grads = (self.output * Tensor::from_inner(dy)).sum().backward();
        let names = parameters.all()[parameters.blocks[layer].clone()].iter();
        for (parameter, (_, tensor)) in names.zip(self.block.parameters_mut()) {
            let total = &mut gradient[parameter.range.clone()];
            match tensor {
                ParameterMut::Matrix(tensor) => add(tensor.grad_remove(&mut grads), total),
                ParameterMut::Vector(tensor) => add(tensor.grad_remove(&mut grads), total),
            }
        }
        self.input.grad_remove(&mut grads)
    }
}

fn with_graph<B: DecoderBackend>(rotation: &Rotation<B>) -> Rotation<Autodiff<B>> {
    let lifted = |tensor: &Tensor<B, 2>| Tensor::from_inner(tensor.clone());
    Rotation { cos: lifted(&rotation.cos), sin: lifted(&rotation.sin) }
}

/// Adds a gradient to its place in the buffer.
pub(super) fn add<B: DecoderBackend, const D: usize>(
    gradient: Option<Tensor<B, D>>,
    total: &mut [f32],
) {
    if let Some(gradient) = gradient {
        let data = gradient.into_data();
        match data.as_slice::<f32>() {
            Ok(values) => total.iter_mut().zip(values).for_each(|(total, value)| *total += value),
            Err(_) => {
                total.iter_mut().zip(data.iter::<f32>()).for_each(|(total, value)| *total += value);
            }
        }
    }
}
