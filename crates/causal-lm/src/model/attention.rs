use burn::tensor::Tensor;
use cpu_kernels::decoder::AttentionShape;
use lora_linear::LoraLinear;

use super::{BlockInputs, Residual, RmsNorm};
use crate::ops::{self, DecoderBackend};

/// Causal attention with rotary positions and grouped heads.
#[derive(Clone, Debug)]
pub struct Attention<B: DecoderBackend> {
    /// The way in.
    pub qkv: QkvProjections<B>,
    /// The way out.
    pub output: LoraLinear<B>,
    /// Norms of each head of queries and keys, where the family has them.
    pub qk_norms: Option<[RmsNorm<B>; 2]>,
    /// Heads, scale, window, soft cap.
    pub shape: AttentionShape,
    /// Which of [`BlockInputs::rotations`].
    pub rope: usize,
}

/// Queries, keys and values, apart or as one projection.
#[derive(Clone, Debug)]
pub enum QkvProjections<B: DecoderBackend> {
    /// Three projections.
    Separate {
        /// `[heads · head_dim, hidden]`.
        q: LoraLinear<B>,
        /// `[kv_heads · head_dim, hidden]`.
        k: LoraLinear<B>,
        /// `[kv_heads · head_dim, hidden]`.
        v: LoraLinear<B>,
    },
    /// One projection, the rows of queries first, then keys, then values.
    Fused(LoraLinear<B>),
}

impl<B: DecoderBackend> Attention<B> {
    /// Of `x`, `[tokens, hidden]`, onto the residual stream.
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        onto: Residual<'_, B>,
        inputs: &BlockInputs<'_, B>,
        cache: Option<&mut B::KvLayer>,
    ) -> Tensor<B, 2> {
        let [mut q, mut k, v] = self.qkv.forward(x, &self.shape, inputs);
        if let Some([q_norm, k_norm]) = &self.qk_norms {
            q = q_norm.forward_heads(q);
            k = k_norm.forward_heads(k);
        }
        let rotation = &inputs.rotations[self.rope];
        let attended = match cache {
            None => {
                let (cos, sin) = (&rotation.cos, &rotation.sin);
                let q = ops::rope(q, cos.clone(), sin.clone(), self.shape.heads);
                let k = ops::rope(k, cos.clone(), sin.clone(), self.shape.kv_heads);
                ops::attention(q, k, v, inputs.spans, &self.shape)
            }
            Some(cache) => {
                ops::cached_attention([q, k, v], rotation, cache, inputs.spans, &self.shape)
            }
        };
        onto.add(attended, &self.output, inputs.compute, inputs.dropout_of(3))
    }
}

impl<B: DecoderBackend> QkvProjections<B> {
    fn forward(
        &self,
        x: Tensor<B, 2>,
        shape: &AttentionShape,
        inputs: &BlockInputs<'_, B>,
    ) -> [Tensor<B, 2>; 3] {
        let of = |index| inputs.dropout_of(index);
        match self {
            Self::Separate { q, k, v } => {
                let dropouts = [of(0), of(1), of(2)];
                LoraLinear::forward_many([q, k, v], x, inputs.compute, dropouts)
            }
            Self::Fused(all) => {
                let y = all.forward(x, inputs.compute, of(0));
                let (q, kv) = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim);
                let part = |start, width| y.clone().narrow(1, start, width);
                [part(0, q), part(q, kv), part(q + kv, kv)]
            }
        }
    }
}
