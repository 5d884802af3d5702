//! A block with a graph: what is trained is a leaf, all else a constant.

use burn::tensor::Tensor;
use burn_autodiff::Autodiff;
use lora_linear::{Lora, LoraLinear, Weight};

use crate::model::{
    Attention, DecoderBlock, FeedForward, GateUpProjections, QkvProjections, RmsNorm,
};
use crate::ops::DecoderBackend;

pub(super) fn block<B: DecoderBackend>(block: &DecoderBlock<B>) -> DecoderBlock<Autodiff<B>> {
    let whole = block.trains_whole();
    let norm = |norm: &RmsNorm<B>| rms_norm(norm, whole);
    let attention = &block.attention;
    let linear = |linear: &LoraLinear<B>| projection(linear, whole);
    DecoderBlock {
        attention_norm: norm(&block.attention_norm),
        attention: Attention {
            qkv: match &attention.qkv {
                QkvProjections::Fused(all) => QkvProjections::Fused(linear(all)),
                QkvProjections::Separate { q, k, v } => {
                    QkvProjections::Separate { q: linear(q), k: linear(k), v: linear(v) }
                }
            },
            output: linear(&attention.output),
            qk_norms: attention.qk_norms.as_ref().map(|[q, k]| [norm(q), norm(k)]),
            shape: attention.shape,
            rope: attention.rope,
        },
        post_attention_norm: block.post_attention_norm.as_ref().map(norm),
        feed_forward_norm: norm(&block.feed_forward_norm),
        feed_forward: FeedForward {
            gate_up: match &block.feed_forward.gate_up {
                GateUpProjections::Fused(both) => GateUpProjections::Fused(linear(both)),
                GateUpProjections::Separate { gate, up } => {
                    GateUpProjections::Separate { gate: linear(gate), up: linear(up) }
                }
            },
            down: linear(&block.feed_forward.down),
            activation: block.feed_forward.activation,
        },
        post_feed_forward_norm: block.post_feed_forward_norm.as_ref().map(norm),
    }
}

fn rms_norm<B: DecoderBackend>(norm: &RmsNorm<B>, whole: bool) -> RmsNorm<Autodiff<B>> {
    RmsNorm { weight: tensor(&norm.weight, whole), eps: norm.eps }
}

fn projection<B: DecoderBackend>(linear: &LoraLinear<B>, whole: bool) -> LoraLinear<Autodiff<B>> {
    LoraLinear {
        base: match &linear.base {
            Weight::Frozen(frozen) => Weight::Frozen(frozen.with_graph()),
            Weight::Trained(weight) => Weight::Trained(tensor(weight, true)),
        },
        bias: linear.bias.as_ref().map(|bias| tensor(bias, whole)),
        lora: linear.lora.as_ref().map(lora),
    }
}

fn lora<B: DecoderBackend>(lora: &Lora<B>) -> Lora<Autodiff<B>> {
    let lifted = Lora {
        a: tensor(&lora.a, true),
        b: tensor(&lora.b, true),
        scaling: lora.scaling,
        dora: None,
    };
    match &lora.dora {
        None => lifted,
        Some(dora) => lifted.with_magnitude(tensor(&dora.magnitude, true)),
    }
}

fn tensor<B: DecoderBackend, const D: usize>(
    tensor: &Tensor<B, D>,
    trained: bool,
) -> Tensor<Autodiff<B>, D> {
    let tensor = Tensor::from_inner(tensor.clone());
    if trained { tensor.require_grad() } else { tensor }
}
