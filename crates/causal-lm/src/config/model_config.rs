use cpu_kernels::decoder::{Activation, AttentionShape};

use crate::rope::RopeConfig;

/// All that tells one decoder from another: what `config.json` says, in one shape for every family.
///
/// A family's file fills it in; the blocks are built from it and know no family.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// The family's name, as `model_type` has it: `llama`, `qwen3`, …
    pub family: &'static str,
    /// Rows of the embedding and of the head.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside of the feed-forward blocks.
    pub intermediate_size: usize,
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of keys and values; divides `heads`.
    pub kv_heads: usize,
    /// Dimensions of a head.
    pub head_dim: usize,
    /// Positions that the model was made for. Longer sequences are computed, and are worth little.
    pub max_positions: usize,
    /// What the norms add to the mean square.
    pub norm_eps: f32,
    /// What stored norm weights lack: 1 where they are stored as differences from 1.
    pub norm_offset: f32,
    /// The gate of the feed-forward blocks.
    pub activation: Activation,
    /// What scores are multiplied by.
    pub attention_scale: f32,
    /// Scores become `cap · tanh(score / cap)`.
    pub attention_softcap: Option<f32>,
    /// Logits become `cap · tanh(logit / cap)`.
    pub logit_softcap: Option<f32>,
    /// What embeddings are multiplied by, before it is rounded to the dtype of the embedding.
    pub embedding_scale: Option<f32>,
    /// The head is the embedding.
    pub tied_head: bool,
    /// Which projections have a bias.
    pub biases: Biases,
    /// Each head of queries and keys has a norm of its own.
    pub qk_norms: bool,
    /// Attention and feed-forward have a norm behind them too.
    pub post_norms: bool,
    /// Queries, keys and values come from one projection, gate and up from another.
    pub fused_projections: bool,
    /// The rotary embeddings that layers use, one each kind.
    pub ropes: Vec<RopeConfig>,
    /// The layers, from the embedding up.
    pub layers: Vec<LayerConfig>,
}

/// In what one layer may differ from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerConfig {
    /// A token sees itself and the `window - 1` tokens before it; `None`: all before it.
    pub window: Option<usize>,
    /// Which of [`ModelConfig::ropes`].
    pub rope: usize,
}

/// Which projections have a bias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Biases {
    /// Queries, keys and values.
    pub qkv: bool,
    /// The output of attention.
    pub output: bool,
    /// Gate, up and down.
    pub feed_forward: bool,
}

impl ModelConfig {
    /// Width of all query heads together.
    pub fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key heads together, and of all value heads.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// The attention of layer `layer`.
    pub(crate) fn attention_shape(&self, layer: LayerConfig) -> AttentionShape {
        AttentionShape {
            heads: self.heads,
            kv_heads: self.kv_heads,
            head_dim: self.head_dim,
            scale: self.attention_scale,
            window: layer.window,
            softcap: self.attention_softcap,
        }
    }
}
