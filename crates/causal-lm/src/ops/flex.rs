use burn_flex::{Flex, FlexTensor};
use cpu_kernels::decoder::{Activation, AttentionShape, KvDtype, KvLayer, Span};

use super::{DecoderBackend, RowLosses, host};

impl DecoderBackend for Flex {
    type KvLayer = KvLayer;

    fn rms_norm(x: FlexTensor, weight: FlexTensor, eps: f32) -> FlexTensor {
        host::rms_norm::<Self>(x, weight, eps)
    }

    fn rope(x: FlexTensor, cos: FlexTensor, sin: FlexTensor, heads: usize) -> FlexTensor {
        host::rope::<Self>(x, cos, sin, heads)
    }

    fn gate(activation: Activation, gate: FlexTensor, up: FlexTensor) -> FlexTensor {
        host::gate::<Self>(activation, gate, up)
    }

    fn span_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FlexTensor {
        host::attention::<Self>(q, k, v, spans, shape)
    }

    fn span_attention_with_lse(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> [FlexTensor; 2] {
        host::attention_with_lse::<Self>(q, k, v, spans, shape)
    }

    fn rms_norm_backward(
        x: FlexTensor,
        weight: FlexTensor,
        eps: f32,
        dy: FlexTensor,
        of_weight: bool,
    ) -> (FlexTensor, Option<FlexTensor>) {
        host::rms_norm_backward::<Self>(x, weight, eps, dy, of_weight)
    }

    fn rope_backward(dy: FlexTensor, cos: FlexTensor, sin: FlexTensor, heads: usize) -> FlexTensor {
        host::rope_backward::<Self>(dy, cos, sin, heads)
    }

    fn gate_backward(
        activation: Activation,
        gate: FlexTensor,
        up: FlexTensor,
        dy: FlexTensor,
    ) -> [FlexTensor; 2] {
        host::gate_backward::<Self>(activation, gate, up, dy)
    }

    fn span_attention_backward(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        out: FlexTensor,
        lse: FlexTensor,
        dout: FlexTensor,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> [FlexTensor; 3] {
        host::attention_backward::<Self>([q, k, v, out, lse, dout], spans, shape)
    }

    fn cross_entropy(
        logits: FlexTensor,
        targets: &[u32],
        weights: &[f32],
        scale: f32,
    ) -> (FlexTensor, RowLosses<Self>) {
        host::cross_entropy::<Self>(logits, targets, weights, scale)
    }

    fn row_losses(logits: FlexTensor, targets: &[u32]) -> RowLosses<Self> {
        host::row_losses::<Self>(logits, targets)
    }

    fn new_kv_layer(
        slots: usize,
        capacity: usize,
        shape: &AttentionShape,
        dtype: KvDtype,
        _: &Self::Device,
    ) -> KvLayer {
        KvLayer::new(slots, capacity, shape.kv_heads, shape.head_dim, dtype)
    }

    fn cached_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        cache: &mut KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FlexTensor {
        host::cached_attention::<Self>(q, k, v, cache, spans, shape)
    }

    fn copy_kv_slot(cache: &mut KvLayer, from: usize, to: usize, len: usize) {
        cache.copy_slot(from, to, len);
    }
}
