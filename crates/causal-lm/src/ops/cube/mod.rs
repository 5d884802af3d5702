//! Graphics processors: kernels of `cube-kernels`, and Burn's products on tensor cores between them.

mod attention;
mod kv_layer;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{TensorData, TensorMetadata};
use burn_cubecl::{BoolElement, CubeBackend, FloatElement, IntElement};
use cpu_kernels::decoder::{Activation, AttentionShape, KvDtype, Span};
use cube_kernels::{
    AdamWConstants, CrossEntropy, CubeRuntime, CubeTensor, half_precision, reserved_memory, upload,
};
use optimizer::AdamWStep;

use super::{DecoderBackend, RowLosses, backward, composed};
use crate::estimate::Place;
use crate::rope::Rotation;
pub use kv_layer::CubeKvLayer;

impl<R, F, I, BT> DecoderBackend for CubeBackend<R, F, I, BT>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    BT: BoolElement,
{
    type KvLayer = CubeKvLayer<Self>;

    fn device_memory(device: &Self::Device) -> Option<u64> {
        reserved_memory::<R>(device)
    }

    fn rms_norm(x: CubeTensor<R>, weight: CubeTensor<R>, eps: f32) -> CubeTensor<R> {
        cube_kernels::rms_norm(x, weight, eps)
    }

    fn rope(
        x: CubeTensor<R>,
        cos: CubeTensor<R>,
        sin: CubeTensor<R>,
        heads: usize,
    ) -> CubeTensor<R> {
        cube_kernels::rope(x, cos, sin, heads, false)
    }

    fn gate(activation: Activation, gate: CubeTensor<R>, up: CubeTensor<R>) -> CubeTensor<R> {
        cube_kernels::gate(gate, up, activation == Activation::GeluTanh)
    }

    fn span_attention_with_lse(
        q: CubeTensor<R>,
        k: CubeTensor<R>,
        v: CubeTensor<R>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> [CubeTensor<R>; 2] {
        attention::forward::<Self, R>(q, k, v, spans, shape)
    }

    fn span_attention(
        q: CubeTensor<R>,
        k: CubeTensor<R>,
        v: CubeTensor<R>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> CubeTensor<R> {
        let [out, _] = attention::forward::<Self, R>(q, k, v, spans, shape);
        out
    }

    fn rms_norm_backward(
        x: CubeTensor<R>,
        weight: CubeTensor<R>,
        eps: f32,
        dy: CubeTensor<R>,
        of_weight: bool,
    ) -> (CubeTensor<R>, Option<CubeTensor<R>>) {
        if of_weight {
            let [dx, dweight] = backward::rms_norm::<Self>(x, weight, eps, dy);
            return (dx, Some(dweight));
        }
        (cube_kernels::rms_norm_backward(x, weight, eps, dy), None)
    }

    fn rope_backward(
        dy: CubeTensor<R>,
        cos: CubeTensor<R>,
        sin: CubeTensor<R>,
        heads: usize,
    ) -> CubeTensor<R> {
        cube_kernels::rope(dy, cos, sin, heads, true)
    }

    fn gate_backward(
        activation: Activation,
        gate: CubeTensor<R>,
        up: CubeTensor<R>,
        dy: CubeTensor<R>,
    ) -> [CubeTensor<R>; 2] {
        cube_kernels::gate_backward(gate, up, dy, activation == Activation::GeluTanh)
    }

    fn span_attention_backward(
        q: CubeTensor<R>,
        k: CubeTensor<R>,
        v: CubeTensor<R>,
        out: CubeTensor<R>,
        lse: CubeTensor<R>,
        dout: CubeTensor<R>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> [CubeTensor<R>; 3] {
        attention::backward::<Self, R>([q, k, v, out, lse, dout], spans, shape)
    }

    fn cross_entropy(
        logits: CubeTensor<R>,
        targets: &[u32],
        weights: &[f32],
        scale: f32,
    ) -> (FloatTensor<Self>, RowLosses<Self>) {
        let weights = weights.iter().map(|weight| weight * scale).collect();
        let (out, gradient) = row_losses(logits, Some(targets), Some(weights));
        match gradient {
            Some(gradient) => (gradient, out),
            None => unreachable!("weights were given"),
        }
    }

    fn row_losses(logits: CubeTensor<R>, targets: &[u32]) -> RowLosses<Self> {
        let (out, _) = row_losses(logits, Some(targets), None);
        out
    }

    fn picks_tokens() -> bool {
        true
    }

    fn likeliest(logits: CubeTensor<R>) -> RowLosses<Self> {
        let (out, _) = row_losses(logits, None, None);
        out
    }

    fn logit_rows(vocab: usize) -> usize {
        Place::Graphics { half: false }.logit_rows(vocab)
    }

    fn keeps_optimizer() -> bool {
        true
    }

    fn sums_of_squares(tensors: Vec<CubeTensor<R>>) -> CubeTensor<R> {
        cube_kernels::sums_of_squares(tensors)
    }

    fn adamw(tensors: [CubeTensor<R>; 4], factor: f32, step: &AdamWStep) -> [CubeTensor<R>; 3] {
        let constants = AdamWConstants {
            factor,
            decay: step.decay,
            one_minus_beta1: step.one_minus_beta1,
            beta2: step.beta2,
            one_minus_beta2: step.one_minus_beta2,
            root_correction2: step.root_correction2,
            eps: step.eps,
            step_size: step.step_size,
        };
        cube_kernels::adamw(tensors, constants)
    }

    fn new_kv_layer(
        slots: usize,
        capacity: usize,
        shape: &AttentionShape,
        dtype: KvDtype,
        device: &Self::Device,
    ) -> Self::KvLayer {
        CubeKvLayer::new(slots, capacity, shape, dtype, device, half_precision::<R>(device))
    }

    fn cached_attention(
        q: CubeTensor<R>,
        k: CubeTensor<R>,
        v: CubeTensor<R>,
        cache: &mut Self::KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> CubeTensor<R> {
        attention::cached::<Self, R>(q, k, v, cache, spans, shape)
    }

    fn rotated_cached_attention(
        qkv: [CubeTensor<R>; 3],
        rotation: &Rotation<Self>,
        cache: &mut Self::KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> CubeTensor<R> {
        match rotation.places.clone() {
            Some(places) if shape.head_dim <= attention::WIDEST_HEAD => {
                attention::next_tokens(qkv, rotation, &places.into_primitive(), cache, shape)
            }
            _ => composed::rotated_cached_attention::<Self>(qkv, rotation, cache, spans, shape),
        }
    }

    fn copy_kv_slot(cache: &mut Self::KvLayer, from: usize, to: usize, len: usize) {
        cache.copy_slot(from, to, len);
    }
}

/// The losses of the targets, or of the likeliest tokens, and with weights the gradient.
fn row_losses<R, B>(
    logits: CubeTensor<R>,
    targets: Option<&[u32]>,
    weights: Option<Vec<f32>>,
) -> (RowLosses<B>, Option<CubeTensor<R>>)
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>, IntTensorPrimitive = CubeTensor<R>>,
{
    let (rows, device) = (logits.shape()[0], logits.device.clone());
    let targets =
        targets.map(|targets| upload(TensorData::new(targets.to_vec(), [rows, 1]), &device));
    let weights = weights.map(|weights| upload(TensorData::new(weights, [rows, 1]), &device));
    let CrossEntropy { losses, predicted, gradient } =
        cube_kernels::cross_entropy(logits, targets, weights);
    (RowLosses { losses, predicted }, gradient)
}
