use burn::tensor::Tensor;
use cpu_kernels::ComputeDtype;
use cpu_kernels::decoder::Span;
use lora_linear::Dropout;

use super::{Attention, FeedForward, Residual, RmsNorm};
use crate::ops::DecoderBackend;
use crate::rope::Rotation;

/// One layer: attention, then feed-forward, each with a norm before it and a residual around it.
#[derive(Clone, Debug)]
pub struct DecoderBlock<B: DecoderBackend> {
    /// Before attention.
    pub attention_norm: RmsNorm<B>,
    /// Attention.
    pub attention: Attention<B>,
    /// Behind attention, before the residual is added, where the family has it.
    pub post_attention_norm: Option<RmsNorm<B>>,
    /// Before the feed-forward.
    pub feed_forward_norm: RmsNorm<B>,
    /// The feed-forward.
    pub feed_forward: FeedForward<B>,
    /// Behind the feed-forward, before the residual is added, where the family has it.
    pub post_feed_forward_norm: Option<RmsNorm<B>>,
}

/// What all blocks are given beside the residual stream.
#[derive(Clone, Copy, Debug)]
pub struct BlockInputs<'a, B: DecoderBackend> {
    /// Cosines and sines of the tokens, for each of the model's ropes.
    pub rotations: &'a [Rotation<B>],
    /// Whose tokens they are.
    pub spans: &'a [Span],
    /// The precision of products.
    pub compute: ComputeDtype,
    /// Dropout on the adapters' inputs: of training alone, with a seed for each block.
    pub dropout: Option<Dropout>,
}

impl<B: DecoderBackend> BlockInputs<'_, B> {
    /// The dropout of the adapter on the input of a block's projection `index`: q, k, v, o, gate, up, down.
    pub(super) fn dropout_of(&self, index: u64) -> Option<Dropout> {
        self.dropout.map(|dropout| dropout.part(index))
    }
}

impl<B: DecoderBackend> DecoderBlock<B> {
    /// `[tokens, hidden]` to `[tokens, hidden]`. It depends on nothing but its arguments, so that training may run it again.
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        inputs: &BlockInputs<'_, B>,
        cache: Option<&mut B::KvLayer>,
    ) -> Tensor<B, 2> {
        let onto = Residual { stream: x.clone(), norm: self.post_attention_norm.as_ref() };
        let x = self.attention.forward(self.attention_norm.forward(x), onto, inputs, cache);
        let onto = Residual { stream: x.clone(), norm: self.post_feed_forward_norm.as_ref() };
        self.feed_forward.forward(self.feed_forward_norm.forward(x), onto, inputs)
    }
}
