use burn_flex::{Flex, FlexTensor};
use cpu_kernels::decoder::{Activation, AttentionShape, KvDtype, KvLayer, Span};

use super::{DecoderBackend, host};

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
