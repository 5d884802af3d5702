//! The operations in Burn's own: differentiable anywhere, and the reference of the kernels.

use burn::tensor::activation::{gelu_approximate, silu, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};
use cpu_kernels::decoder::{Activation, AttentionShape, Span};

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

pub(super) fn attention<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    spans: &[Span],
    shape: &AttentionShape,
) -> FloatTensor<B> {
    let (q, k, v) = (tensor::<B, 2>(q), tensor::<B, 2>(k), tensor::<B, 2>(v));
    let rows = spans.iter().map(|span| {
        let of = |x: &Tensor<B, 2>, heads: usize| {
            let rows = x.clone().narrow(0, span.start, span.len);
            rows.reshape([span.len, heads, shape.head_dim]).swap_dims(0, 1)
        };
        let q = of(&q, shape.heads);
        let (k, v) = (repeat(of(&k, shape.kv_heads), shape), repeat(of(&v, shape.kv_heads), shape));
        let mut scores = q.matmul(k.swap_dims(1, 2)).mul_scalar(shape.scale);
        if let Some(cap) = shape.softcap {
            scores = scores.div_scalar(cap).tanh().mul_scalar(cap);
        }
        let weights = softmax(scores + mask::<B>(span.len, shape.window, &v.device()), 2);
        weights.matmul(v).swap_dims(0, 1).reshape([span.len, shape.heads * shape.head_dim])
    });
    primitive(Tensor::cat(rows.collect(), 0))
}

/// Each head of keys or values, `[kv_heads, len, dim]`, once for every query head that shares it.
fn repeat<B: Backend>(x: Tensor<B, 3>, shape: &AttentionShape) -> Tensor<B, 3> {
    let [kv_heads, len, dim] = x.dims();
    let group = shape.heads / shape.kv_heads;
    let x: Tensor<B, 4> = x.unsqueeze_dim(1);
    x.expand([kv_heads, group, len, dim]).reshape([shape.heads, len, dim])
}

/// What is added to the scores of a whole sequence, `[1, len, len]`.
fn mask<B: Backend>(len: usize, window: Option<usize>, device: &B::Device) -> Tensor<B, 3> {
    let mut values = vec![0.0f32; len * len];
    for query in 0..len {
        for key in 0..len {
            let seen = key <= query && window.is_none_or(|window| query - key < window);
            if !seen {
                values[query * len + key] = UNSEEN;
            }
        }
    }
    Tensor::from_data(TensorData::new(values, [1, len, len]), device)
}

fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}
