use cpu_kernels::decoder::Activation;

use super::{Biases, Fields, LayerConfig, ModelConfig, rope};
use crate::LoadError;

/// No decoder has more layers.
const MOST_LAYERS: usize = 1024;

/// What transformers takes where `config.json` is silent; it differs from family to family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    /// `num_key_value_heads`; `None`: as many as `num_attention_heads`.
    pub(crate) kv_heads: Option<usize>,
    /// `head_dim`; `None`: `hidden_size / num_attention_heads`.
    pub(crate) head_dim: Option<usize>,
    /// `max_position_embeddings`.
    pub(crate) max_positions: usize,
    /// `rms_norm_eps`.
    pub(crate) norm_eps: f64,
    /// `tie_word_embeddings`.
    pub(crate) tied_head: bool,
    /// The key of the activation.
    pub(crate) activation_key: &'static str,
    /// Its default.
    pub(crate) activation: Activation,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            kv_heads: None,
            head_dim: None,
            max_positions: 2048,
            norm_eps: 1e-6,
            tied_head: false,
            activation_key: "hidden_act",
            activation: Activation::Silu,
        }
    }
}

/// The decoder that all families vary: pre-norm blocks of rotary attention and a gated feed-forward, without biases.
pub(crate) fn decoder(
    family: &'static str,
    fields: &Fields,
    defaults: &Defaults,
) -> Result<ModelConfig, LoadError> {
    let layers = fields.size("num_hidden_layers")?;
    if layers > MOST_LAYERS {
        let reason = format!("{layers} layers; no more than {MOST_LAYERS} are supported");
        return Err(fields.inconsistent(reason));
    }
    let (hidden_size, heads) = (fields.size("hidden_size")?, fields.size("num_attention_heads")?);
    let head_dim = match fields.optional_size("head_dim")?.or(defaults.head_dim) {
        Some(head_dim) => head_dim,
        None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
        None => {
            let reason = format!("a hidden_size of {hidden_size} is no multiple of {heads} heads");
            return Err(fields.inconsistent(reason));
        }
    };
    let kv_heads = fields.optional_size("num_key_value_heads")?;
    let max_positions = fields.optional_size("max_position_embeddings")?;
    let config = ModelConfig {
        family,
        vocab_size: fields.size("vocab_size")?,
        hidden_size,
        intermediate_size: fields.size("intermediate_size")?,
        heads,
        kv_heads: kv_heads.or(defaults.kv_heads).unwrap_or(heads),
        head_dim,
        max_positions: max_positions.unwrap_or(defaults.max_positions),
        norm_eps: fields.optional_number("rms_norm_eps")?.unwrap_or(defaults.norm_eps) as f32,
        norm_offset: 0.0,
        activation: activation(fields, defaults)?,
        attention_scale: (head_dim as f64).powf(-0.5) as f32,
        attention_softcap: None,
        logit_softcap: None,
        embedding_scale: None,
        tied_head: fields.flag("tie_word_embeddings", defaults.tied_head)?,
        biases: Biases::default(),
        qk_norms: false,
        post_norms: false,
        fused_projections: false,
        ropes: Vec::new(),
        layers: vec![LayerConfig { window: None, rope: 0 }; layers],
    };
    Ok(config)
}

impl ModelConfig {
    /// One rotary embedding for all layers.
    pub(crate) fn with_rope(mut self, fields: &Fields) -> Result<Self, LoadError> {
        self.ropes = vec![rope(fields, &self)?];
        Ok(self)
    }

    /// The window of each layer.
    pub(crate) fn with_windows(mut self, windows: Vec<Option<usize>>) -> Self {
        for (layer, window) in self.layers.iter_mut().zip(windows) {
            layer.window = window;
        }
        self
    }
}

fn activation(fields: &Fields, defaults: &Defaults) -> Result<Activation, LoadError> {
    match fields.text(defaults.activation_key)? {
        None => Ok(defaults.activation),
        Some("silu" | "swish") => Ok(Activation::Silu),
        Some("gelu_pytorch_tanh") => Ok(Activation::GeluTanh),
        Some(_) => Err(fields.unsupported(defaults.activation_key, "silu, gelu_pytorch_tanh")),
    }
}
