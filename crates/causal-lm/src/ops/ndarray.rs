use burn_ndarray::{NdArray, NdArrayTensor};
use cpu_kernels::decoder::{AttentionShape, KvDtype, KvLayer, Span};

use super::{DecoderBackend, host};

/// The reference of tests: all but the cache is composed of Burn's operations.
impl DecoderBackend for NdArray {
    type KvLayer = KvLayer;

    fn keeps_optimizer() -> bool {
        true
    }

    fn picks_tokens() -> bool {
        true
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
        q: NdArrayTensor,
        k: NdArrayTensor,
        v: NdArrayTensor,
        cache: &mut KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> NdArrayTensor {
        host::cached_attention::<Self>(q, k, v, cache, spans, shape)
    }

    fn copy_kv_slot(cache: &mut KvLayer, from: usize, to: usize, len: usize) {
        cache.copy_slot(from, to, len);
    }
}
