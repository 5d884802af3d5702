//! Gemma 3, text only: norms on both sides, most layers with a window and a rotary base of their own, scaled embeddings.
//!
//! Source: Gemma Team (2025), Gemma 3 Technical Report.

use cpu_kernels::decoder::Activation;

use super::{Family, GgufFamily};
use crate::config::{
    Biases, Defaults, Fields, LayerConfig, RopeSource, decoder, layer_types, rope_of,
};
use crate::{LoadError, ModelConfig};

pub(super) const FAMILY: Family = Family {
    name: "gemma3_text",
    class: "Gemma3ForCausalLM",
    gguf: Some(GgufFamily { architecture: "gemma3", permuted_qk: false }),
    read,
};

/// Which of the ropes layers use that see everything, and those with a window.
const GLOBAL: usize = 0;
const LOCAL: usize = 1;

fn read(fields: &Fields) -> Result<ModelConfig, LoadError> {
    let defaults = Defaults {
        kv_heads: Some(4),
        head_dim: Some(256),
        max_positions: 131_072,
        norm_eps: 1e-6,
        tied_head: true,
        activation_key: "hidden_activation",
        activation: Activation::GeluTanh,
    };
    let mut config = decoder(FAMILY.name, fields, &defaults)?;
    if fields.flag("use_bidirectional_attention", false)? {
        return Err(fields.unsupported("use_bidirectional_attention", "false"));
    }
    let attention = fields.flag("attention_bias", false)?;
    config.biases = Biases { qkv: attention, output: attention, ..Biases::default() };
    config.qk_norms = true;
    config.post_norms = true;
    config.norm_offset = 1.0;
    config.embedding_scale = Some((config.hidden_size as f64).sqrt() as f32);
    let scalar = fields.optional_number("query_pre_attn_scalar")?.unwrap_or(256.0);
    config.attention_scale = scalar.powf(-0.5) as f32;
    config.attention_softcap =
        fields.optional_number("attn_logit_softcapping")?.map(|cap| cap as f32);
    config.logit_softcap = fields.optional_number("final_logit_softcapping")?.map(|cap| cap as f32);
    config.layers = layers(fields, config.layers.len())?;
    config.ropes = vec![
        rope(fields, &config, "full_attention", "rope_theta", 1_000_000.0)?,
        rope(fields, &config, "sliding_attention", "rope_local_base_freq", 10_000.0)?,
    ];
    Ok(config)
}

fn layers(fields: &Fields, layers: usize) -> Result<Vec<LayerConfig>, LoadError> {
    let window = match fields.has("sliding_window") {
        true => fields.optional_size("sliding_window")?,
        false => Some(4096),
    };
    let every = match fields.optional_size("sliding_window_pattern")? {
        Some(every) => every,
        None => fields.optional_size("_sliding_window_pattern")?.unwrap_or(6),
    };
    let every_nth_is_full = || (1..=layers).map(|layer| !layer.is_multiple_of(every)).collect();
    let sliding = layer_types(fields, layers)?.unwrap_or_else(every_nth_is_full);
    let layer = |sliding| match sliding {
        true => LayerConfig { window, rope: LOCAL },
        false => LayerConfig { window: None, rope: GLOBAL },
    };
    Ok(sliding.into_iter().map(layer).collect())
}

/// The rotary embedding of one type of layer. The older `rope_scaling` is of the layers that see everything.
fn rope(
    fields: &Fields,
    config: &ModelConfig,
    layer_type: &str,
    theta_key: &str,
    default_theta: f64,
) -> Result<crate::RopeConfig, LoadError> {
    let nested = match fields.section("rope_parameters")? {
        Some(parameters) => parameters.section(layer_type)?,
        None => None,
    };
    let scaling = fields.section("rope_scaling")?.filter(|_| layer_type == "full_attention");
    let parameters = scaling.or(nested);
    let theta = fields.optional_number(theta_key)?.unwrap_or(default_theta);
    rope_of(&RopeSource { parameters, theta, original_positions: None, fields }, config)
}
