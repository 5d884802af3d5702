use cpu_kernels::decoder::KvDtype;

use crate::{DenseDtype, Quantization};

/// What an estimate is for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EstimateOptions {
    /// How the projections of the blocks are stored.
    pub quantization: Quantization,
    /// How the other matrices are stored; [`DenseDtype::Auto`] counts as f32, since the configuration does not say.
    pub dtype: DenseDtype,
    /// The adapter.
    pub lora: Option<LoraSize>,
    /// Training of the adapter; without one, nothing is trained.
    pub training: Option<Training>,
    /// Generation.
    pub generation: Option<Generation>,
    /// Whose memory is asked for.
    pub place: Place,
}

/// Where the work is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The processor, in f32.
    #[default]
    Processor,
    /// A graphics processor. Scales of NF4 are f32 there, and beside the activations lie the scores of a chunk of queries and one
    /// projection in the precision of products.
    Graphics {
        /// Activations and products are half precision.
        half: bool,
    },
}

impl Place {
    /// Rows whose logits, of `vocab` tokens each, training holds at a time: up to 64 MiB of f32, on a graphics processor 512 MiB and
    /// no tile of a product half empty.
    pub fn logit_rows(self, vocab: usize) -> usize {
        match self {
            Self::Processor => ((1 << 24) / vocab.max(1)).clamp(32, 1024),
            Self::Graphics { .. } => ((1 << 27) / vocab.max(1)).clamp(128, 1024) / 128 * 128,
        }
    }

    /// Bytes of an activation.
    pub(super) fn activation_bytes(self) -> u64 {
        match self {
            Self::Graphics { half: true } => 2,
            Self::Processor | Self::Graphics { half: false } => 4,
        }
    }
}

/// An adapter.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraSize {
    /// Its rank.
    pub rank: usize,
    /// Names of projections, such as `q_proj`; empty for all of them.
    pub targets: Vec<String>,
}

/// A step of training on `batch · sequence` tokens.
///
/// For each token and layer the graph keeps, in f32 or what [`Place`] says:
///
/// - the residual stream before attention and before the feed-forward: `2 · hidden`;
/// - both after their norms, for the adapters' gradients: `2 · hidden`;
/// - rotated queries and keys, values, attention's output, and a log-sum-exp a head:
///   `2 · query + 2 · kv + heads`, `query` and `kv` being the widths of all heads together;
/// - gate, up, and their product: `3 · intermediate`;
/// - where the family has them, queries and keys before their norms, `query + kv`, and what goes into the norms behind
///   attention and feed-forward, `2 · hidden`;
/// - `rank` for each projection with an adapter.
///
/// With gradient checkpointing it is `hidden` a layer, plus all of the above for a single layer, which is computed again.
/// Behind the layers come two of `hidden` in either case. Frozen weights have no gradients and keep nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Training {
    /// Sequences in a micro-batch.
    pub batch: usize,
    /// Tokens of a sequence.
    pub sequence: usize,
    /// Blocks are computed again instead of kept.
    pub gradient_checkpointing: bool,
    /// Rows whose logits are held at once.
    pub logit_rows: usize,
}

/// Answers on their way beside each other.
///
/// A step of `t` tokens (the longer of a chunk of a prompt and a token for each slot) has at its widest moment, in f32,
/// `t · (2 · hidden + max(2 · query + 2 · kv, 3 · intermediate))`, and logits of one row a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Sequences in the cache.
    pub slots: usize,
    /// Tokens of a sequence.
    pub capacity: usize,
    /// How the cache is stored.
    pub cache: KvDtype,
    /// Most tokens of prompts in a step.
    pub prefill_chunk: usize,
}
