//! The operations on tensors, for the code of the architectures.

use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};
use cpu_kernels::decoder::{Activation, AttentionShape, Span};

use super::{DecoderBackend, RowLosses};
use crate::rope::Rotation;

/// See [`DecoderBackend::rms_norm`].
pub fn rms_norm<B: DecoderBackend>(
    x: Tensor<B, 2>,
    weight: Tensor<B, 1>,
    eps: f32,
) -> Tensor<B, 2> {
    wrap(B::rms_norm(inner(x), inner(weight), eps))
}

/// See [`DecoderBackend::rms_norm_backward`].
pub fn rms_norm_backward<B: DecoderBackend>(
    x: Tensor<B, 2>,
    weight: Tensor<B, 1>,
    eps: f32,
    dy: Tensor<B, 2>,
    of_weight: bool,
) -> (Tensor<B, 2>, Option<Tensor<B, 1>>) {
    let (dx, dweight) = B::rms_norm_backward(inner(x), inner(weight), eps, inner(dy), of_weight);
    (wrap(dx), dweight.map(wrap))
}

/// See [`DecoderBackend::rope`].
pub fn rope<B: DecoderBackend>(
    x: Tensor<B, 2>,
    cos: Tensor<B, 2>,
    sin: Tensor<B, 2>,
    heads: usize,
) -> Tensor<B, 2> {
    wrap(B::rope(inner(x), inner(cos), inner(sin), heads))
}

/// See [`DecoderBackend::gate`].
pub fn gate<B: DecoderBackend>(
    activation: Activation,
    gate: Tensor<B, 2>,
    up: Tensor<B, 2>,
) -> Tensor<B, 2> {
    wrap(B::gate(activation, inner(gate), inner(up)))
}

/// See [`DecoderBackend::span_attention`].
pub fn attention<B: DecoderBackend>(
    q: Tensor<B, 2>,
    k: Tensor<B, 2>,
    v: Tensor<B, 2>,
    spans: &[Span],
    shape: &AttentionShape,
) -> Tensor<B, 2> {
    wrap(B::span_attention(inner(q), inner(k), inner(v), spans, shape))
}

/// See [`DecoderBackend::rotated_cached_attention`].
pub fn cached_attention<B: DecoderBackend>(
    qkv: [Tensor<B, 2>; 3],
    rotation: &Rotation<B>,
    cache: &mut B::KvLayer,
    spans: &[Span],
    shape: &AttentionShape,
) -> Tensor<B, 2> {
    wrap(B::rotated_cached_attention(qkv.map(inner), rotation, cache, spans, shape))
}

/// See [`DecoderBackend::likeliest`].
pub(crate) fn likeliest<B: DecoderBackend>(logits: Tensor<B, 2>) -> RowLosses<B> {
    B::likeliest(inner(logits))
}

fn wrap<B: DecoderBackend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn inner<B: DecoderBackend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}
