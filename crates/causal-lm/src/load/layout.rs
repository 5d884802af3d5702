use crate::ModelConfig;

/// A tensor that a model has, by its name in transformers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// With `.weight` or `.bias` at its end.
    pub(crate) name: String,
    /// Outermost dimension first.
    pub(crate) shape: Vec<usize>,
    /// What it is for.
    pub(crate) kind: Kind,
}

/// What a parameter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Embedding or head: dense always.
    Vocabulary,
    /// A projection of a block: what is quantized, and what adapters are for.
    Projection,
    /// The weight of a norm.
    Norm,
    /// The bias of a projection.
    Bias,
}

/// The name of the embedding.
pub(crate) const EMBEDDING: &str = "model.embed_tokens.weight";
/// The name of the head, where it is not the embedding.
pub(crate) const HEAD: &str = "lm_head.weight";
/// The name of the norm behind the last block.
pub(crate) const FINAL_NORM: &str = "model.norm.weight";

/// All parameters of a model, in the order in which they are loaded.
pub(crate) fn parameters(config: &ModelConfig) -> Vec<Parameter> {
    let vocabulary = vec![config.vocab_size, config.hidden_size];
    let parameter = |name: &str, shape, kind| Parameter { name: name.to_owned(), shape, kind };
    let mut all = vec![parameter(EMBEDDING, vocabulary.clone(), Kind::Vocabulary)];
    for layer in 0..config.layers.len() {
        all.extend(block(config, layer));
    }
    all.push(parameter(FINAL_NORM, vec![config.hidden_size], Kind::Norm));
    if !config.tied_head {
        all.push(parameter(HEAD, vocabulary, Kind::Vocabulary));
    }
    all
}

/// The name of a module of a layer: `model.layers.3.mlp.up_proj`.
pub(crate) fn module(layer: usize, name: &str) -> String {
    format!("model.layers.{layer}.{name}")
}

fn block(config: &ModelConfig, layer: usize) -> Vec<Parameter> {
    let &ModelConfig { hidden_size: hidden, intermediate_size: inner, biases, .. } = config;
    let (query, kv) = (config.query_width(), config.kv_width());
    let mut projections = match config.fused_projections {
        true => vec![
            ("self_attn.qkv_proj", query + 2 * kv, hidden, biases.qkv),
            ("mlp.gate_up_proj", 2 * inner, hidden, biases.feed_forward),
        ],
        false => vec![
            ("self_attn.q_proj", query, hidden, biases.qkv),
            ("self_attn.k_proj", kv, hidden, biases.qkv),
            ("self_attn.v_proj", kv, hidden, biases.qkv),
            ("mlp.gate_proj", inner, hidden, biases.feed_forward),
            ("mlp.up_proj", inner, hidden, biases.feed_forward),
        ],
    };
    projections.push(("self_attn.o_proj", hidden, query, biases.output));
    projections.push(("mlp.down_proj", hidden, inner, biases.feed_forward));

    let mut norms = vec![("input_layernorm", hidden), ("post_attention_layernorm", hidden)];
    if config.post_norms {
        norms.push(("pre_feedforward_layernorm", hidden));
        norms.push(("post_feedforward_layernorm", hidden));
    }
    if config.qk_norms {
        norms.push(("self_attn.q_norm", config.head_dim));
        norms.push(("self_attn.k_norm", config.head_dim));
    }

    let of = |name: &str, end: &str, shape, kind| {
        let name = format!("{}.{end}", module(layer, name));
        Parameter { name, shape, kind }
    };
    let mut all = Vec::new();
    for (name, outputs, inputs, bias) in projections {
        all.push(of(name, "weight", vec![outputs, inputs], Kind::Projection));
        if bias {
            all.push(of(name, "bias", vec![outputs], Kind::Bias));
        }
    }
    all.extend(norms.into_iter().map(|(name, width)| of(name, "weight", vec![width], Kind::Norm)));
    all
}
