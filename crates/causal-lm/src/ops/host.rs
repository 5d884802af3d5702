//! The kernels of `cpu-kernels` on backends whose tensors lie in host memory.

use burn::tensor::ops::FloatTensor;
use burn::tensor::{TensorData, TensorMetadata};
use cpu_kernels::decoder::{self, Activation, AttentionShape, KvLayer, Rotary, Span};
use cpu_kernels::loss;
use lora_linear::HostTensors;

use super::RowLosses;

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
    let mut out = B::into_floats(x);
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

pub(super) fn rms_norm_backward<B: HostTensors>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    eps: f32,
    dy: FloatTensor<B>,
    of_weight: bool,
) -> (FloatTensor<B>, Option<FloatTensor<B>>) {
    let [rows, cols] = shape_of(&x);
    let mut dx = vec![0.0; rows * cols];
    let mut dweight = of_weight.then(|| vec![0.0; cols]);
    B::read_floats(x, |x| {
        B::read_floats(weight, |weight| {
            B::read_floats(dy, |dy| {
                let dweight = dweight.as_deref_mut();
                decoder::rms_norm_backward(x, weight, eps, dy, &mut dx, dweight);
            });
        });
    });
    let vector = |values| B::float_reshape(B::from_floats(values, 1, cols), [cols].into());
    (B::from_floats(dx, rows, cols), dweight.map(vector))
}

pub(super) fn rope_backward<B: HostTensors>(
    dy: FloatTensor<B>,
    cos: FloatTensor<B>,
    sin: FloatTensor<B>,
    heads: usize,
) -> FloatTensor<B> {
    let ([rows, cols], [_, pairs]) = (shape_of(&dy), shape_of(&cos));
    let mut dx = B::into_floats(dy);
    B::read_floats(cos, |cos| {
        B::read_floats(sin, |sin| {
            decoder::rope_backward(&mut dx, heads, cols / heads.max(1), Rotary { cos, sin, pairs });
        });
    });
    B::from_floats(dx, rows, cols)
}

pub(super) fn gate_backward<B: HostTensors>(
    activation: Activation,
    gate: FloatTensor<B>,
    up: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> [FloatTensor<B>; 2] {
    let [rows, cols] = shape_of(&gate);
    let (mut dgate, mut dup) = (vec![0.0; rows * cols], vec![0.0; rows * cols]);
    B::read_floats(gate, |gate| {
        B::read_floats(up, |up| {
            B::read_floats(dy, |dy| {
                decoder::gate_backward(activation, gate, up, dy, &mut dgate, &mut dup);
            });
        });
    });
    [B::from_floats(dgate, rows, cols), B::from_floats(dup, rows, cols)]
}

pub(super) fn attention_backward<B: HostTensors>(
    [q, k, v, out, lse, dout]: [FloatTensor<B>; 6],
    spans: &[Span],
    shape: &AttentionShape,
) -> [FloatTensor<B>; 3] {
    let ([rows, width], [_, kv_width]) = (shape_of(&q), shape_of(&k));
    let mut dq = vec![0.0; rows * width];
    let (mut dk, mut dv) = (vec![0.0; rows * kv_width], vec![0.0; rows * kv_width]);
    B::read_floats(q, |q| {
        B::read_floats(k, |k| {
            B::read_floats(v, |v| {
                B::read_floats(out, |out| {
                    B::read_floats(lse, |lse| {
                        B::read_floats(dout, |dout| {
                            decoder::attention_backward(
                                q, k, v, out, lse, dout, spans, shape, &mut dq, &mut dk, &mut dv,
                            );
                        });
                    });
                });
            });
        });
    });
    let kv = |values| B::from_floats(values, rows, kv_width);
    [B::from_floats(dq, rows, width), kv(dk), kv(dv)]
}

pub(super) fn cross_entropy<B: HostTensors>(
    logits: FloatTensor<B>,
    targets: &[u32],
    weights: &[f32],
    scale: f32,
) -> (FloatTensor<B>, RowLosses<B>) {
    let [rows, vocab] = shape_of(&logits);
    let mut logits = B::into_floats(logits);
    let (mut losses, mut predicted) = (vec![0.0; rows], vec![0; rows]);
    loss::cross_entropy(&mut logits, vocab, targets, weights, scale, &mut losses, &mut predicted);
    (B::from_floats(logits, rows, vocab), losses_of(losses, predicted))
}

pub(super) fn row_losses<B: HostTensors>(logits: FloatTensor<B>, targets: &[u32]) -> RowLosses<B> {
    let [rows, vocab] = shape_of(&logits);
    let (mut losses, mut predicted) = (vec![0.0; rows], vec![0; rows]);
    B::read_floats(logits, |logits| {
        loss::losses_only(logits, vocab, targets, &mut losses, &mut predicted);
    });
    losses_of(losses, predicted)
}

fn losses_of<B: HostTensors>(losses: Vec<f32>, predicted: Vec<u32>) -> RowLosses<B> {
    let rows = losses.len();
    let predicted: Vec<i32> = predicted.into_iter().map(|id| id as i32).collect();
    let predicted = TensorData::new(predicted, [rows, 1]);
    RowLosses {
        losses: B::from_floats(losses, rows, 1),
        predicted: B::int_from_data(predicted, &B::Device::default()),
    }
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
