use std::fmt::Debug;

use burn::tensor::ops::FloatTensor;
use cpu_kernels::decoder::{Activation, AttentionShape, KvDtype, Span};
use lora_linear::FrozenBackend;

use super::composed;

/// A backend that runs a decoder. Tensors are `[tokens, width]`: a batch is flat, and spans say whose tokens they are.
pub trait DecoderBackend: FrozenBackend {
    /// Keys and values of one layer.
    type KvLayer: Debug + Send;

    /// Root mean square norm of each row, times `weight` (`[width]`).
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        composed::rms_norm::<Self>(x, weight, eps)
    }

    /// Rotates `heads` heads in each row, dimension `i` of a head with `i + pairs`; `cos` and `sin` are `[tokens, pairs]`.
    fn rope(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self> {
        composed::rope::<Self>(x, cos, sin, heads)
    }

    /// `activation(gate) · up`.
    fn gate(
        activation: Activation,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        composed::gate::<Self>(activation, gate, up)
    }

    /// Causal attention within each span, without a cache; spans are whole sequences, in order and without gaps.
    fn span_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self> {
        composed::attention::<Self>(q, k, v, spans, shape)
    }

    /// An empty cache of one layer for `slots` sequences of up to `capacity` tokens.
    fn new_kv_layer(
        slots: usize,
        capacity: usize,
        shape: &AttentionShape,
        dtype: KvDtype,
        device: &Self::Device,
    ) -> Self::KvLayer;

    /// Stores the spans' keys and values, and attends over all that their sequences have in the cache.
    fn cached_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        cache: &mut Self::KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self>;

    /// Copies the first `len` tokens of slot `from` to slot `to`: the shared beginning of several answers.
    fn copy_kv_slot(cache: &mut Self::KvLayer, from: usize, to: usize, len: usize);
}
