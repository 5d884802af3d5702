use std::collections::HashMap;

use burn::tensor::{Tensor, TensorData};
use cpu_kernels::FrozenWeight;
use half::{bf16, f16};
use lora_linear::{Frozen, LoraLinear, Weight};

use super::layout::{EMBEDDING, FINAL_NORM, HEAD, Parameter, module};
use super::source::Source;
use super::vocab_size::vocab_size;
use super::weights::{self, dense_dtype};
use super::{LoadOptions, LoadProgress};
use crate::adapter::AdapterPlan;
use crate::config::LayerConfig;
use crate::model::{
    Attention, DecoderBlock, FeedForward, GateUpProjections, Parts, QkvProjections, RmsNorm,
};
use crate::ops::DecoderBackend;
use crate::{CausalLm, LoadError, ModelConfig};

/// Puts a model together from files whose names and shapes have been checked.
pub(super) struct Builder<'a, B: DecoderBackend> {
    source: &'a Source,
    options: &'a LoadOptions,
    adapter: Option<&'a AdapterPlan>,
    device: &'a B::Device,
    progress: &'a dyn Fn(LoadProgress<'_>),
    parameters: HashMap<&'a str, &'a Parameter>,
    vocab_size: usize,
    done: u64,
    total: u64,
}

impl<'a, B: DecoderBackend> Builder<'a, B> {
    pub(super) fn new(
        source: &'a Source,
        parameters: &'a [Parameter],
        options: &'a LoadOptions,
        adapter: Option<&'a AdapterPlan>,
        device: &'a B::Device,
        progress: &'a dyn Fn(LoadProgress<'_>),
    ) -> Result<Self, LoadError> {
        let vocab_size = vocab_size(source, options, adapter)?;
        let total = parameters.iter().map(|parameter| source.stored_bytes(parameter)).sum();
        let parameters = parameters.iter().map(|p| (p.name.as_str(), p)).collect();
        let done = 0;
        Ok(Self { source, options, adapter, device, progress, parameters, vocab_size, done, total })
    }

    pub(super) fn build(mut self) -> Result<CausalLm<B>, LoadError> {
        let config = ModelConfig { vocab_size: self.vocab_size, ..self.source.config.clone() };
        let embedding = self.vocabulary(EMBEDDING)?;
        let layers = config.layers.iter().enumerate();
        let blocks = layers.map(|(layer, c)| self.block(layer, *c)).collect::<Result<_, _>>()?;
        let norm = self.norm(FINAL_NORM)?;
        let head = if config.tied_head { embedding.clone() } else { self.vocabulary(HEAD)? };
        let embedding_scale = self.embedding_scale()?;
        (self.progress)(LoadProgress { tensor: "", done: self.done, total: self.total });
        let compute = self.options.compute;
        let parts = Parts {
            config,
            embedding,
            embedding_scale,
            token_rows: None,
            blocks,
            norm,
            head,
            compute,
        };
        Ok(CausalLm::new(parts, self.device))
    }

    fn block(&mut self, layer: usize, config: LayerConfig) -> Result<DecoderBlock<B>, LoadError> {
        let of = |name: &str| module(layer, name);
        let source = self.source;
        let model = &source.config;
        let qkv = match model.fused_projections {
            true => QkvProjections::Fused(self.projection(&of("self_attn.qkv_proj"))?),
            false => QkvProjections::Separate {
                q: self.projection(&of("self_attn.q_proj"))?,
                k: self.projection(&of("self_attn.k_proj"))?,
                v: self.projection(&of("self_attn.v_proj"))?,
            },
        };
        let gate_up = match model.fused_projections {
            true => GateUpProjections::Fused(self.projection(&of("mlp.gate_up_proj"))?),
            false => GateUpProjections::Separate {
                gate: self.projection(&of("mlp.gate_proj"))?,
                up: self.projection(&of("mlp.up_proj"))?,
            },
        };
        let qk_norms = match model.qk_norms {
            true => Some([
                self.norm(&of("self_attn.q_norm.weight"))?,
                self.norm(&of("self_attn.k_norm.weight"))?,
            ]),
            false => None,
        };
        let attention = Attention {
            qkv,
            output: self.projection(&of("self_attn.o_proj"))?,
            qk_norms,
            shape: model.attention_shape(config),
            rope: config.rope,
        };
        let down = self.projection(&of("mlp.down_proj"))?;
        let feed_forward = FeedForward { gate_up, down, activation: model.activation };
        let attention_norm = self.norm(&of("input_layernorm.weight"))?;
        let second = self.norm(&of("post_attention_layernorm.weight"))?;
        Ok(match model.post_norms {
            false => DecoderBlock {
                attention_norm,
                attention,
                post_attention_norm: None,
                feed_forward_norm: second,
                feed_forward,
                post_feed_forward_norm: None,
            },
            true => DecoderBlock {
                attention_norm,
                attention,
                post_attention_norm: Some(second),
                feed_forward_norm: self.norm(&of("pre_feedforward_layernorm.weight"))?,
                feed_forward,
                post_feed_forward_norm: Some(self.norm(&of("post_feedforward_layernorm.weight"))?),
            },
        })
    }

    fn projection(&mut self, module: &str) -> Result<LoraLinear<B>, LoadError> {
        let (weight_name, bias_name) = (format!("{module}.weight"), format!("{module}.bias"));
        let weight = self.parameter(&weight_name)?;
        let weight = weights::projection(self.source, weight, self.options)?;
        let mut linear = LoraLinear::new(self.upload(weight));
        if self.parameters.contains_key(bias_name.as_str()) {
            let bias = self.parameter(&bias_name)?;
            linear.bias = Some(self.vector(weights::vector(self.source, bias)?));
        }
        if let Some(adapter) = self.adapter {
            linear.lora = adapter.lora(module, &linear.base, self.device)?;
        }
        Ok(linear)
    }

    fn vocabulary(&mut self, name: &str) -> Result<Weight<B>, LoadError> {
        let parameter = self.parameter(name)?;
        let replaced = self.adapter.map_or(&[][..], |adapter| adapter.replaced_rows(name));
        let weight =
            weights::vocabulary(self.source, parameter, self.options, replaced, self.vocab_size)?;
        Ok(Weight::Frozen(self.upload(weight)))
    }

    fn norm(&mut self, name: &str) -> Result<RmsNorm<B>, LoadError> {
        let parameter = self.parameter(name)?;
        let offset = self.source.norm_offset();
        let mut weight = weights::vector(self.source, parameter)?;
        if offset != 0.0 {
            weight.iter_mut().for_each(|weight| *weight += offset);
        }
        Ok(RmsNorm { weight: self.vector(weight), eps: self.source.config.norm_eps })
    }

    /// The scale of embeddings in the dtype of the embedding, as transformers takes it.
    fn embedding_scale(&self) -> Result<Option<f32>, LoadError> {
        let view = self.source.view(EMBEDDING)?;
        Ok(self.source.config.embedding_scale.map(|scale| match dense_dtype(&view, self.options) {
            cpu_kernels::DenseDtype::F32 => scale,
            cpu_kernels::DenseDtype::Bf16 => bf16::from_f32(scale).to_f32(),
            cpu_kernels::DenseDtype::F16 => f16::from_f32(scale).to_f32(),
        }))
    }

    /// The parameter of that name, which counts as loaded from now on.
    fn parameter(&mut self, name: &str) -> Result<&'a Parameter, LoadError> {
        let Some(&parameter) = self.parameters.get(name) else {
            let reason = "the layout of the model has no such tensor".to_owned();
            return Err(self.source.tensor_error(name, reason));
        };
        (self.progress)(LoadProgress { tensor: name, done: self.done, total: self.total });
        self.done += self.source.stored_bytes(parameter);
        Ok(parameter)
    }

    fn upload(&self, weight: FrozenWeight) -> Frozen<B> {
        Frozen::new(weight, self.device)
    }

    fn vector(&self, values: Vec<f32>) -> Tensor<B, 1> {
        let len = values.len();
        Tensor::from_data(TensorData::new(values, [len]), self.device)
    }
}
