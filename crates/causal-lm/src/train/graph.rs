//! The graph of one block: from its input to its output, and back.

use burn::tensor::Tensor;
use burn_autodiff::Autodiff;

use super::gradients::Gradients;
use super::lift;
use super::parameters::Parameters;
use crate::model::{BlockInputs, DecoderBlock, ParameterMut};
use crate::ops::{DecoderBackend, backward_from};
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

    /// Takes the gradient of the output to that of the input, and adds those of the block's parameters to `gradients`.
    pub(super) fn backward(
        mut self,
        layer: usize,
        dy: Tensor<B, 2>,
        parameters: &Parameters,
        gradients: &mut Gradients<B>,
    ) -> Option<Tensor<B, 2>> {
        let mut grads = backward_from(self.output, dy);
        let indices = parameters.blocks[layer].clone();
        for (index, (_, tensor)) in indices.zip(self.block.parameters_mut()) {
            match tensor {
                ParameterMut::Matrix(tensor) => {
                    gradients.add(index, tensor.grad_remove(&mut grads));
                }
                ParameterMut::Vector(tensor) => {
                    gradients.add(index, tensor.grad_remove(&mut grads));
                }
            }
        }
        self.input.grad_remove(&mut grads)
    }
}

fn with_graph<B: DecoderBackend>(rotation: &Rotation<B>) -> Rotation<Autodiff<B>> {
    let lifted = |tensor: &Tensor<B, 2>| Tensor::from_inner(tensor.clone());
    Rotation { cos: lifted(&rotation.cos), sin: lifted(&rotation.sin), places: None }
}
