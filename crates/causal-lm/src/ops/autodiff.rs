use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use cpu_kernels::decoder::{AttentionShape, KvDtype, Span};

use super::DecoderBackend;

/// Operations are composed, and so differentiable; what goes through the cache is a constant.
impl<B: DecoderBackend, C: CheckpointStrategy> DecoderBackend for Autodiff<B, C> {
    type KvLayer = B::KvLayer;

    fn new_kv_layer(
        slots: usize,
        capacity: usize,
        shape: &AttentionShape,
        dtype: KvDtype,
        device: &Self::Device,
    ) -> Self::KvLayer {
        B::new_kv_layer(slots, capacity, shape, dtype, device)
    }

    fn cached_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        cache: &mut Self::KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self> {
        Self::from_inner(B::cached_attention(
            q.primitive,
            k.primitive,
            v.primitive,
            cache,
            spans,
            shape,
        ))
    }

    fn copy_kv_slot(cache: &mut Self::KvLayer, from: usize, to: usize, len: usize) {
        B::copy_kv_slot(cache, from, to, len);
    }
}
