use crate::ModelConfig;

/// What a tensor is for, which decides how it lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorRole {
    /// The embedding, and the head where it is another tensor: dense.
    Embedding,
    /// A projection of a block: dense or quantized; an adapter may be on top.
    Projection,
    /// Norms and biases: always f32.
    Vector,
}

/// A kind of tensor: its shape, and how often a model has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorSize {
    /// The last part of its name in transformers, without `.weight`: `q_proj`.
    pub name: &'static str,
    /// What it is for.
    pub role: TensorRole,
    /// Outputs; of a vector its length.
    pub rows: usize,
    /// Inputs; of a vector 1.
    pub cols: usize,
    /// How many of them the model has.
    pub count: usize,
}

impl TensorSize {
    /// Values of all of them.
    pub fn parameters(&self) -> u64 {
        [self.rows, self.cols, self.count].iter().map(|&n| n as u64).product()
    }
}

/// Every tensor of a model, as its file has them: a tied head is not counted again.
pub fn tensor_sizes(config: &ModelConfig) -> Vec<TensorSize> {
    let layers = config.layers.len();
    let hidden = config.hidden_size;
    let mut sizes =
        vec![matrix("embed_tokens", TensorRole::Embedding, config.vocab_size, hidden, 1)];
    if !config.tied_head {
        sizes.push(matrix("lm_head", TensorRole::Embedding, config.vocab_size, hidden, 1));
    }
    for (name, rows, cols, bias) in projections(config) {
        sizes.push(matrix(name, TensorRole::Projection, rows, cols, layers));
        if bias {
            sizes.push(vector("bias", rows, layers));
        }
    }
    // Before attention and feed-forward, and behind them where the family has that.
    let norms = if config.post_norms { 4 } else { 2 };
    sizes.push(vector("layernorm", hidden, norms * layers));
    if config.qk_norms {
        sizes.push(vector("qk_norm", config.head_dim, 2 * layers));
    }
    sizes.push(vector("norm", hidden, 1));
    sizes
}

/// Name, outputs, inputs and bias of each projection of a block.
pub(super) fn projections(config: &ModelConfig) -> Vec<(&'static str, usize, usize, bool)> {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let (query, kv, biases) = (config.query_width(), config.kv_width(), config.biases);
    if config.fused_projections {
        return vec![
            ("qkv_proj", query + 2 * kv, hidden, biases.qkv),
            ("o_proj", hidden, query, biases.output),
            ("gate_up_proj", 2 * inner, hidden, biases.feed_forward),
            ("down_proj", hidden, inner, biases.feed_forward),
        ];
    }
    vec![
        ("q_proj", query, hidden, biases.qkv),
        ("k_proj", kv, hidden, biases.qkv),
        ("v_proj", kv, hidden, biases.qkv),
        ("o_proj", hidden, query, biases.output),
        ("gate_proj", inner, hidden, biases.feed_forward),
        ("up_proj", inner, hidden, biases.feed_forward),
        ("down_proj", hidden, inner, biases.feed_forward),
    ]
}

fn matrix(
    name: &'static str,
    role: TensorRole,
    rows: usize,
    cols: usize,
    count: usize,
) -> TensorSize {
    TensorSize { name, role, rows, cols, count }
}

fn vector(name: &'static str, len: usize, count: usize) -> TensorSize {
    TensorSize { name, role: TensorRole::Vector, rows: len, cols: 1, count }
}
