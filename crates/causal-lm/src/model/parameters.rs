use burn::tensor::Tensor;
use lora_linear::{LoraLinear, Weight};

use super::{Attention, DecoderBlock, FeedForward, GateUpProjections, QkvProjections};
use crate::ops::DecoderBackend;

/// A tensor that training changes.
#[derive(Debug)]
pub enum ParameterMut<'a, B: DecoderBackend> {
    /// A matrix.
    Matrix(&'a mut Tensor<B, 2>),
    /// A bias, the weight of a norm, or a magnitude.
    Vector(&'a mut Tensor<B, 1>),
}

impl<B: DecoderBackend> DecoderBlock<B> {
    /// The projections by their names in the block, such as `self_attn.q_proj`, in the order of their work.
    pub fn projections_mut(&mut self) -> Vec<(&'static str, &mut LoraLinear<B>)> {
        let Attention { qkv, output, .. } = &mut self.attention;
        let FeedForward { gate_up, down, .. } = &mut self.feed_forward;
        projections(qkv, output, gate_up, down)
    }

    /// All that training changes in the block, by the names of PEFT and transformers within it: adapters, and where
    /// weights are trained whole, those, biases and norms.
    pub(crate) fn parameters_mut(&mut self) -> Vec<(String, ParameterMut<'_, B>)> {
        let whole = self.trains_whole();
        let Self {
            attention_norm,
            attention: Attention { qkv, output, qk_norms, .. },
            post_attention_norm,
            feed_forward_norm,
            feed_forward: FeedForward { gate_up, down, .. },
            post_feed_forward_norm,
        } = self;
        let mut all = Vec::new();
        for (module, projection) in projections(qkv, output, gate_up, down) {
            of_projection(module, projection, &mut all);
        }
        if whole {
            let before_feed_forward = match post_attention_norm {
                Some(_) => "pre_feedforward_layernorm",
                None => "post_attention_layernorm",
            };
            let mut norms = vec![("input_layernorm", attention_norm)];
            norms.extend(
                post_attention_norm.as_mut().map(|norm| ("post_attention_layernorm", norm)),
            );
            norms.push((before_feed_forward, feed_forward_norm));
            norms.extend(
                post_feed_forward_norm.as_mut().map(|norm| ("post_feedforward_layernorm", norm)),
            );
            if let Some([q, k]) = qk_norms {
                norms.extend([("self_attn.q_norm", q), ("self_attn.k_norm", k)]);
            }
            all.extend(norms.into_iter().map(|(name, norm)| {
                (format!("{name}.weight"), ParameterMut::Vector(&mut norm.weight))
            }));
        }
        all
    }

    /// Whether weights are trained whole, and with them biases and norms.
    pub(crate) fn trains_whole(&self) -> bool {
        matches!(self.attention.output.base, Weight::Trained(_))
    }
}

fn projections<'a, B: DecoderBackend>(
    qkv: &'a mut QkvProjections<B>,
    output: &'a mut LoraLinear<B>,
    gate_up: &'a mut GateUpProjections<B>,
    down: &'a mut LoraLinear<B>,
) -> Vec<(&'static str, &'a mut LoraLinear<B>)> {
    let mut all = match qkv {
        QkvProjections::Fused(all) => vec![("self_attn.qkv_proj", all)],
        QkvProjections::Separate { q, k, v } => {
            vec![("self_attn.q_proj", q), ("self_attn.k_proj", k), ("self_attn.v_proj", v)]
        }
    };
    all.push(("self_attn.o_proj", output));
    match gate_up {
        GateUpProjections::Fused(both) => all.push(("mlp.gate_up_proj", both)),
        GateUpProjections::Separate { gate, up } => {
            all.extend([("mlp.gate_proj", gate), ("mlp.up_proj", up)]);
        }
    }
    all.push(("mlp.down_proj", down));
    all
}

fn of_projection<'a, B: DecoderBackend>(
    module: &str,
    projection: &'a mut LoraLinear<B>,
    all: &mut Vec<(String, ParameterMut<'a, B>)>,
) {
    let mut add = |end: &str, parameter| all.push((format!("{module}.{end}"), parameter));
    if let Weight::Trained(weight) = &mut projection.base {
        add("weight", ParameterMut::Matrix(weight));
        if let Some(bias) = &mut projection.bias {
            add("bias", ParameterMut::Vector(bias));
        }
    }
    if let Some(lora) = &mut projection.lora {
        add("lora_A.weight", ParameterMut::Matrix(&mut lora.a));
        add("lora_B.weight", ParameterMut::Matrix(&mut lora.b));
        if let Some(dora) = &mut lora.dora {
            add("lora_magnitude_vector", ParameterMut::Vector(&mut dora.magnitude));
        }
    }
}
