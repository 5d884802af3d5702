//! The kernels of `cpu-kernels` on backends whose tensors lie in host memory.

use burn::tensor::TensorMetadata;
use burn::tensor::ops::FloatTensor;
use cpu_kernels::decoder::{self, Activation, AttentionShape, KvLayer, Rotary, Span};
use lora_linear::HostTensors;

pub(super) fn rms_norm<B: HostTensors>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    eps: f32,
) -> FloatTensor<B> {
    let [rows, cols] = shape_of(&x);
    let mut out = vec![0.0; rows * cols];
    B::read_floats(x, |x| {
        B::read_floats(weight, |weight| decoder::rms_norm(x, weight, eps, &mut out));
    });
    B::from_floats(out, rows, cols)
}

pub(super) fn rope<B: HostTensors>(
    x: FloatTensor<B>,
    cos: FloatTensor<B>,
    sin: FloatTensor<B>,
    heads: usize,
) -> FloatTensor<B> {
    let ([rows, cols], [_, pairs]) = (shape_of(&x), shape_of(&cos));
    let mut out = B::read_floats(x, <[f32]>::to_vec);
    B::read_floats(cos, |cos| {
        B::read_floats(sin, |sin| {
            decoder::rope(&mut out, heads, cols / heads.max(1), Rotary { cos, sin, pairs });
        });
    });
    B::from_floats(out, rows, cols)
}

pub(super) fn gate<B: HostTensors>(
    activation: Activation,
    gate: FloatTensor<B>,
    up: FloatTensor<B>,
) -> FloatTensor<B> {
    let [rows, cols] = shape_of(&gate);
    let mut out = vec![0.0; rows * cols];
    B::read_floats(gate, |gate| {
        B::read_floats(up, |up| decoder::gate(activation, gate, up, &mut out));
    });
    B::from_floats(out, rows, cols)
}

pub(super) fn attention<B: HostTensors>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    spans: &[Span],
    shape: &AttentionShape,
) -> FloatTensor<B> {
    let [rows, cols] = shape_of(&q);
    let mut out = vec![0.0; rows * cols];
    B::read_floats(q, |q| {
        B::read_floats(k, |k| {
            B::read_floats(v, |v| decoder::attention(q, k, v, spans, shape, &mut out));
        });
    });
    B::from_floats(out, rows, cols)
}

pub(super) fn attention_with_lse<B: HostTensors>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    spans: &[Span],
    shape: &AttentionShape,
) -> [FloatTensor<B>; 2] {
    let [rows, cols] = shape_of(&q);
    let (mut out, mut lse) = (vec![0.0; rows * cols], vec![0.0; rows * shape.heads]);
    B::read_floats(q, |q| {
        B::read_floats(k, |k| {
            B::read_floats(v, |v| {
                decoder::attention_with_lse(q, k, v, spans, shape, &mut out, &mut lse);
            });
        });
    });
    [B::from_floats(out, rows, cols), B::from_floats(lse, rows, shape.heads)]
}

pub(super) fn cached_attention<B: HostTensors>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    cache: &mut KvLayer,
    spans: &[Span],
    shape: &AttentionShape,
) -> FloatTensor<B> {
    let [rows, cols] = shape_of(&q);
    let mut out = vec![0.0; rows * cols];
    B::read_floats(k, |k| B::read_floats(v, |v| cache.append(k, v, spans)));
    B::read_floats(q, |q| decoder::cached_attention(q, cache, spans, shape, &mut out));
    B::from_floats(out, rows, cols)
}

fn shape_of(tensor: &impl TensorMetadata) -> [usize; 2] {
    tensor.shape().dims()
}
