//! Gradients of the operations in Burn's own: the reference of the kernels, and what a backend without kernels uses.
//!
//! Each takes the gradient of its result and gives those of its inputs.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use cpu_kernels::decoder::{Activation, AttentionShape, Span};

use super::composed::{ROWS, heads_of, keys_of, primitive, repeat, scores, tensor};

/// With `r = 1 / √(mean x² + eps)` and `g = dy · weight`: `dx = r · (g - x · r² · mean(g · x))`, `dweight = Σ dy · x · r`.
pub(super) fn rms_norm<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    eps: f32,
    dy: FloatTensor<B>,
) -> [FloatTensor<B>; 2] {
    let (x, weight) = (tensor::<B, 2>(x), tensor::<B, 1>(weight));
    let dy = tensor::<B, 2>(dy);
    let r = x.clone().powi_scalar(2).mean_dim(1).add_scalar(eps).sqrt().recip();
    let g = dy.clone() * weight.unsqueeze::<2>();
    let mean = (g.clone() * x.clone()).mean_dim(1);
    let dx = (g - x.clone() * r.clone().powi_scalar(2) * mean) * r.clone();
    let dweight = (dy * x * r).sum_dim(0).squeeze_dim::<1>(0);
    [primitive(dx), primitive(dweight)]
}

pub(super) fn gate<B: Backend>(
    activation: Activation,
    gate: FloatTensor<B>,
    up: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> [FloatTensor<B>; 2] {
    let (gate, up, dy) = (tensor::<B, 2>(gate), tensor::<B, 2>(up), tensor::<B, 2>(dy));
    let (value, slope) = match activation {
        Activation::Silu => {
            let s = sigmoid(gate.clone());
            let value = gate * s.clone();
            // s · (1 + gate · (1 - s))
            let slope = s.clone() + value.clone() * (s.neg() + 1.0);
            (value, slope)
        }
        Activation::GeluTanh => {
            let c = (2.0 / std::f64::consts::PI).sqrt();
            let square = gate.clone().powi_scalar(2);
            let t = (gate.clone() * (square.clone() * 0.044715 + 1.0) * c).tanh();
            let half = (t.clone() + 1.0) * 0.5;
            let inner = (square * (3.0 * 0.044715) + 1.0) * c;
            let slope = half.clone() + gate.clone() * (t.powi_scalar(2).neg() + 1.0) * inner * 0.5;
            (gate * half, slope)
        }
    };
    [primitive(dy.clone() * up * slope), primitive(dy * value)]
}

/// With `p = exp(s - lse)` and `delta = Σ dout · out` of each row: `dv = pᵀ · dout`, `ds = p · (dout · vᵀ - delta)`,
/// `dq = scale · ds · k`, `dk = scale · dsᵀ · q`; through a soft cap `ds` is multiplied by `1 - (s / cap)²`.
///
/// Source: Dao (2023), FlashAttention-2, algorithm 2.
#[expect(clippy::too_many_arguments, reason = "what attention has, and what became of it")]
pub(super) fn attention<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    out: FloatTensor<B>,
    lse: FloatTensor<B>,
    dout: FloatTensor<B>,
    spans: &[Span],
    shape: &AttentionShape,
) -> [FloatTensor<B>; 3] {
    let [q, k, v] = [q, k, v].map(tensor::<B, 2>);
    let [out, lse, dout] = [out, lse, dout].map(tensor::<B, 2>);
    let device = q.device();
    let (mut dqs, mut dks, mut dvs) = (Vec::new(), Vec::new(), Vec::new());
    for span in spans {
        let keys = repeat(heads_of(&k, span.start, span.len, shape.kv_heads, shape), shape);
        let values = repeat(heads_of(&v, span.start, span.len, shape.kv_heads, shape), shape);
        let mut dk = Tensor::<B, 3>::zeros([shape.heads, span.len, shape.head_dim], &device);
        let mut dv = dk.clone();
        for row in (0..span.len).step_by(ROWS) {
            let rows = ROWS.min(span.len - row);
            let (first, seen) = keys_of(row, rows, shape);
            let of = |x: &Tensor<B, 2>| heads_of(x, span.start + row, rows, shape.heads, shape);
            let (q, out, dout) = (of(&q), of(&out), of(&dout));
            let (k, v) =
                (keys.clone().narrow(1, first, seen), values.clone().narrow(1, first, seen));
            let lse = lse.clone().narrow(0, span.start + row, rows);
            let lse = lse.swap_dims(0, 1).unsqueeze_dim::<3>(2);
            let (s, slope) = scores(q.clone(), k.clone(), row, first, shape);
            let p = (s - lse).exp();
            let delta = (dout.clone() * out).sum_dim(2);
            let dp = dout.clone().matmul(v.swap_dims(1, 2));
            let mut ds = p.clone() * (dp - delta);
            if let Some(slope) = slope {
                ds = ds * slope;
            }
            let add = |total: Tensor<B, 3>, part: Tensor<B, 3>| {
                let at = [0..shape.heads, first..first + seen, 0..shape.head_dim];
                let sum = total.clone().slice(at.clone()) + part;
                total.slice_assign(at, sum)
            };
            dqs.push(flat(ds.clone().matmul(k).mul_scalar(shape.scale)));
            dk = add(dk, ds.swap_dims(1, 2).matmul(q).mul_scalar(shape.scale));
            dv = add(dv, p.swap_dims(1, 2).matmul(dout));
        }
        dks.push(flat(together(dk, shape)));
        dvs.push(flat(together(dv, shape)));
    }
    [dqs, dks, dvs].map(|parts| primitive(Tensor::cat(parts, 0)))
}

/// Sums over the query heads that share keys and values: `[heads, len, dim]` to `[kv_heads, len, dim]`.
fn together<B: Backend>(x: Tensor<B, 3>, shape: &AttentionShape) -> Tensor<B, 3> {
    let [heads, len, dim] = x.dims();
    let group = heads / shape.kv_heads;
    x.reshape([shape.kv_heads, group, len, dim]).sum_dim(1).squeeze_dim::<3>(1)
}

/// `[heads, len, dim]` to `[len, heads · dim]`.
fn flat<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 2> {
    let [heads, len, dim] = x.dims();
    x.swap_dims(0, 1).reshape([len, heads * dim])
}
