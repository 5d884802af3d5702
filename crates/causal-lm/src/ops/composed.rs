//! The operations in Burn's own: differentiable anywhere, and the reference of the kernels.

use burn::tensor::activation::{gelu_approximate, log_softmax, silu, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Int, Tensor, TensorData, TensorPrimitive};
use cpu_kernels::decoder::{Activation, AttentionShape, Span};
use optimizer::AdamWStep;

use super::{DecoderBackend, RowLosses};
use crate::rope::Rotation;

/// A score that softmax turns into zero.
const UNSEEN: f32 = f32::NEG_INFINITY;

pub(super) fn rms_norm<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    eps: f32,
) -> FloatTensor<B> {
    let (x, weight) = (tensor::<B, 2>(x), tensor::<B, 1>(weight));
    let root = x.clone().powi_scalar(2).mean_dim(1).add_scalar(eps).sqrt();
    primitive(x / root * weight.unsqueeze::<2>())
}

pub(super) fn rope<B: Backend>(
    x: FloatTensor<B>,
    cos: FloatTensor<B>,
    sin: FloatTensor<B>,
    heads: usize,
) -> FloatTensor<B> {
    let x = tensor::<B, 2>(x);
    let [tokens, width] = x.dims();
    let cos = tensor::<B, 2>(cos).unsqueeze_dim::<3>(1);
    let sin = tensor::<B, 2>(sin).unsqueeze_dim::<3>(1);
    let ([_, _, pairs], head_dim) = (cos.dims(), width / heads);
    let x = x.reshape([tokens, heads, head_dim]);
    let a = x.clone().narrow(2, 0, pairs);
    let b = x.clone().narrow(2, pairs, pairs);
    let mut parts = vec![a.clone() * cos.clone() - b.clone() * sin.clone(), b * cos + a * sin];
    if head_dim > 2 * pairs {
        parts.push(x.narrow(2, 2 * pairs, head_dim - 2 * pairs));
    }
    primitive(Tensor::cat(parts, 2).reshape([tokens, width]))
}

pub(super) fn rotated_cached_attention<B: DecoderBackend>(
    [q, k, v]: [FloatTensor<B>; 3],
    rotation: &Rotation<B>,
    cache: &mut B::KvLayer,
    spans: &[Span],
    shape: &AttentionShape,
) -> FloatTensor<B> {
    let rotated = |x, heads| {
        let [cos, sin] = [&rotation.cos, &rotation.sin].map(|x| primitive(x.clone()));
        B::rope(x, cos, sin, heads)
    };
    let (q, k) = (rotated(q, shape.heads), rotated(k, shape.kv_heads));
    B::cached_attention(q, k, v, cache, spans, shape)
}

pub(super) fn gate<B: Backend>(
    activation: Activation,
    gate: FloatTensor<B>,
    up: FloatTensor<B>,
) -> FloatTensor<B> {
    let (gate, up) = (tensor::<B, 2>(gate), tensor::<B, 2>(up));
    let activated = match activation {
        Activation::Silu => silu(gate),
        Activation::GeluTanh => gelu_approximate(gate),
    };
    primitive(activated * up)
}

pub(super) fn cross_entropy<B: Backend>(
    logits: FloatTensor<B>,
    targets: &[u32],
    weights: &[f32],
    scale: f32,
) -> (FloatTensor<B>, RowLosses<B>) {
    let losses = row_losses::<B>(logits.clone(), targets);
    let logits = tensor::<B, 2>(logits);
    let ([rows, vocab], device) = (logits.dims(), logits.device());
    let mut wanted = vec![0.0f32; rows * vocab];
    for (row, &target) in targets.iter().enumerate() {
        wanted[row * vocab + target as usize] = 1.0;
    }
    let wanted = Tensor::from_data(TensorData::new(wanted, [rows, vocab]), &device);
    let weights: Vec<f32> = weights.iter().map(|weight| weight * scale).collect();
    let weights = Tensor::<B, 2>::from_data(TensorData::new(weights, [rows, 1]), &device);
    (primitive((softmax(logits, 1) - wanted) * weights), losses)
}

pub(super) fn row_losses<B: Backend>(logits: FloatTensor<B>, targets: &[u32]) -> RowLosses<B> {
    let logits = tensor::<B, 2>(logits);
    let ([rows, _], device) = (logits.dims(), logits.device());
    let ids: Vec<i32> = targets.iter().map(|&id| id as i32).collect();
    let ids = Tensor::<B, 2, Int>::from_data(TensorData::new(ids, [rows, 1]), &device);
    let losses = log_softmax(logits.clone(), 1).gather(1, ids).neg();
    RowLosses { losses: primitive(losses), predicted: logits.argmax(1).into_primitive() }
}

pub(super) fn likeliest<B: Backend>(logits: FloatTensor<B>) -> RowLosses<B> {
    let logits = tensor::<B, 2>(logits);
    let losses = log_softmax(logits.clone(), 1).max_dim(1).neg();
    RowLosses { losses: primitive(losses), predicted: logits.argmax(1).into_primitive() }
}

pub(super) fn sums_of_squares<B: Backend>(tensors: Vec<FloatTensor<B>>) -> FloatTensor<B> {
    let sums = tensors.into_iter().map(|x| tensor::<B, 1>(x).powi_scalar(2).sum()).collect();
    primitive(Tensor::cat(sums, 0))
}

pub(super) fn adamw<B: Backend>(
    tensors: [FloatTensor<B>; 4],
    factor: f32,
    step: &AdamWStep,
) -> [FloatTensor<B>; 3] {
    let [p, g, m, v] = tensors.map(tensor::<B, 1>);
    let g = g.mul_scalar(factor);
    let m = m.clone() + (g.clone() - m).mul_scalar(step.one_minus_beta1);
    let v = v.mul_scalar(step.beta2) + g.powi_scalar(2).mul_scalar(step.one_minus_beta2);
    let root = v.clone().sqrt().div_scalar(step.root_correction2).add_scalar(step.eps);
    let p = p.mul_scalar(step.decay) - m.clone().mul_scalar(step.step_size) / root;
    [p, m, v].map(primitive)
}

/// Rows whose scores are held at a time.
pub(super) const ROWS: usize = 256;

/// Attention, `[tokens, heads · head_dim]`, and the logarithm of each row's sum of exponentials, `[tokens, heads]`.
pub(super) fn attention<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    spans: &[Span],
    shape: &AttentionShape,
) -> [FloatTensor<B>; 2] {
    let (q, k, v) = (tensor::<B, 2>(q), tensor::<B, 2>(k), tensor::<B, 2>(v));
    let (mut outs, mut lses) = (Vec::new(), Vec::new());
    for span in spans {
        let of = |x| repeat(heads_of(x, span.start, span.len, shape.kv_heads, shape), shape);
        let (keys, values) = (of(&k), of(&v));
        for row in (0..span.len).step_by(ROWS) {
            let rows = ROWS.min(span.len - row);
            let (first, seen) = keys_of(row, rows, shape);
            let q = heads_of(&q, span.start + row, rows, shape.heads, shape);
            let (s, _) = scores(q, keys.clone().narrow(1, first, seen), row, first, shape);
            let greatest = s.clone().max_dim(2);
            let p = (s - greatest.clone()).exp();
            let sum = p.clone().sum_dim(2);
            let out = (p / sum.clone()).matmul(values.clone().narrow(1, first, seen));
            outs.push(out.swap_dims(0, 1).reshape([rows, shape.heads * shape.head_dim]));
            lses.push((sum.log() + greatest).squeeze_dim::<2>(2).swap_dims(0, 1));
        }
    }
    [primitive(Tensor::cat(outs, 0)), primitive(Tensor::cat(lses, 0))]
}

/// Rows `start..start + len` of `x` by heads, `[heads, len, head_dim]`.
pub(super) fn heads_of<B: Backend>(
    x: &Tensor<B, 2>,
    start: usize,
    len: usize,
    heads: usize,
    shape: &AttentionShape,
) -> Tensor<B, 3> {
    x.clone().narrow(0, start, len).reshape([len, heads, shape.head_dim]).swap_dims(0, 1)
}

/// Each head of keys or values, `[kv_heads, len, dim]`, once for every query head that shares it.
pub(super) fn repeat<B: Backend>(x: Tensor<B, 3>, shape: &AttentionShape) -> Tensor<B, 3> {
    let [kv_heads, len, dim] = x.dims();
    let group = shape.heads / shape.kv_heads;
    let x: Tensor<B, 4> = x.unsqueeze_dim(1);
    x.expand([kv_heads, group, len, dim]).reshape([shape.heads, len, dim])
}

/// The keys that queries `row..row + rows` of a sequence see: the first, and how many.
pub(super) fn keys_of(row: usize, rows: usize, shape: &AttentionShape) -> (usize, usize) {
    let first = shape.window.map_or(0, |window| (row + 1).saturating_sub(window));
    (first, row + rows - first)
}

/// Masked scores of queries from position `row` on with keys from `first` on, `[heads, rows, keys]`, and what their soft
/// cap multiplies gradients by.
pub(super) fn scores<B: Backend>(
    q: Tensor<B, 3>,
    k: Tensor<B, 3>,
    row: usize,
    first: usize,
    shape: &AttentionShape,
) -> (Tensor<B, 3>, Option<Tensor<B, 3>>) {
    let ([_, rows, _], [_, keys, _], device) = (q.dims(), k.dims(), q.device());
    let mut s = q.matmul(k.swap_dims(1, 2)).mul_scalar(shape.scale);
    let mut slope = None;
    if let Some(cap) = shape.softcap {
        let t = s.div_scalar(cap).tanh();
        slope = Some(t.clone().powi_scalar(2).neg() + 1.0);
        s = t.mul_scalar(cap);
    }
    let mut mask = vec![0.0f32; rows * keys];
    for (i, mask) in mask.chunks_exact_mut(keys).enumerate() {
        for (j, mask) in mask.iter_mut().enumerate() {
            let (query, key) = (row + i, first + j);
            let seen = key <= query && shape.window.is_none_or(|window| query - key < window);
            if !seen {
                *mask = UNSEEN;
            }
        }
    }
    (s + Tensor::from_data(TensorData::new(mask, [1, rows, keys]), &device), slope)
}

pub(super) fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

pub(super) fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}
