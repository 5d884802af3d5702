use checkpoint_files::{Checkpoint, Metadata};
use serde_json::{Map, Value, json};

use super::Fields;
use crate::LoadError;
use crate::families::{GgufFamily, family_of_gguf};

/// The base of the layers with a window, which GGUF files of Gemma 3 leave to the program.
const LOCAL_THETA: f64 = 10_000.0;

/// Layers of the one Gemma 3 whose scores are scaled by the width of the model over its heads: the one of 27B.
const GEMMA_27B_LAYERS: u64 = 62;

/// The configuration of a GGUF file in the terms of `config.json`, so that a family has one reader.
///
/// Source: `gguf/constants.py` and `convert_hf_to_gguf.py` of llama.cpp.
pub(crate) fn fields_of_gguf(checkpoint: &Checkpoint) -> Result<(Fields, GgufFamily), LoadError> {
    let metadata = checkpoint.metadata();
    let architecture = metadata.str("general.architecture")?;
    let path = || checkpoint.path().to_owned();
    let Some((family, gguf)) = family_of_gguf(architecture) else {
        let family = architecture.to_owned();
        return Err(LoadError::UnsupportedFamily { path: path(), family });
    };
    let keys = Keys { metadata, architecture };
    let embedding = checkpoint.get("token_embd.weight")?;
    // Phi-4 says zero for none.
    let window = keys.integer("attention.sliding_window")?.filter(|window| *window > 0);
    // Mistral goes by Llama's name; its window tells it.
    let name = if family.name == "llama" && window.is_some() { "mistral" } else { family.name };
    let heads = keys.required("attention.head_count")?;
    let hidden = keys.required("embedding_length")?;
    let head_dim = match keys.integer("attention.key_length")? {
        Some(head_dim) => head_dim,
        None => hidden / heads.max(1),
    };
    let fields = json!({
        "model_type": name,
        "vocab_size": embedding.shape.first(),
        "hidden_size": hidden,
        "intermediate_size": keys.required("feed_forward_length")?,
        "num_hidden_layers": keys.required("block_count")?,
        "num_attention_heads": heads,
        "num_key_value_heads": keys.integer("attention.head_count_kv")?.unwrap_or(heads),
        "head_dim": head_dim,
        "max_position_embeddings": keys.integer("context_length")?,
        "rms_norm_eps": keys.float("attention.layer_norm_rms_epsilon")?,
        "tie_word_embeddings": !checkpoint.contains("output.weight"),
        "attention_bias": checkpoint.contains("blk.0.attn_q.bias"),
        "mlp_bias": checkpoint.contains("blk.0.ffn_up.bias"),
        "sliding_window": window,
        "sliding_window_pattern": keys.integer("attention.sliding_window_pattern").ok().flatten(),
        "final_logit_softcapping": keys.float("final_logit_softcapping")?,
        "attn_logit_softcapping": keys.float("attn_logit_softcapping")?,
        "query_pre_attn_scalar": query_scalar(&keys, hidden, heads, head_dim)?,
        "rope_theta": keys.float("rope.freq_base")?,
        "rope_local_base_freq": keys.float("rope.freq_base_swa")?.unwrap_or(LOCAL_THETA),
        "partial_rotary_factor": partial_rotary(&keys, head_dim)?,
        "original_max_position_embeddings": keys.integer("rope.scaling.original_context_length")?,
        "rope_scaling": rope_scaling(checkpoint, &keys)?,
    });
    let Value::Object(object) = fields else { unreachable!("an object was written") };
    let fields = Fields::new(checkpoint.path(), object);
    if let Some(value_length) = keys.integer("attention.value_length")?
        && value_length != head_dim
    {
        let reason = format!("keys of {head_dim} dimensions and values of {value_length}");
        return Err(fields.inconsistent(reason));
    }
    Ok((fields, gguf))
}

/// Metadata of one architecture.
struct Keys<'a> {
    metadata: &'a Metadata,
    architecture: &'a str,
}

impl Keys<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    fn required(&self, key: &str) -> Result<u64, LoadError> {
        Ok(self.metadata.value(&self.key(key))?)
    }

    fn integer(&self, key: &str) -> Result<Option<u64>, LoadError> {
        Ok(self.metadata.optional(&self.key(key))?)
    }

    fn float(&self, key: &str) -> Result<Option<f64>, LoadError> {
        Ok(self.metadata.optional::<f32>(&self.key(key))?.map(f64::from))
    }

    fn text(&self, key: &str) -> Result<Option<&str>, LoadError> {
        Ok(self.metadata.optional(&self.key(key))?)
    }
}

/// The number whose inverse root scales Gemma's scores.
fn query_scalar(keys: &Keys<'_>, hidden: u64, heads: u64, head_dim: u64) -> Result<f64, LoadError> {
    if let Some(scale) = keys.float("attention.scale")? {
        return Ok(1.0 / (scale * scale));
    }
    let is_27b = keys.integer("block_count")? == Some(GEMMA_27B_LAYERS);
    Ok(if is_27b { hidden as f64 / heads as f64 } else { head_dim as f64 })
}

/// Half a dimension more than the ratio, so that rounding down gives the number of dimensions back.
fn partial_rotary(keys: &Keys<'_>, head_dim: u64) -> Result<Option<f64>, LoadError> {
    let rotated = keys.integer("rope.dimension_count")?.filter(|rotated| *rotated != head_dim);
    Ok(rotated.map(|rotated| (rotated as f64 + 0.5) / head_dim as f64))
}

fn rope_scaling(checkpoint: &Checkpoint, keys: &Keys<'_>) -> Result<Value, LoadError> {
    if checkpoint.contains("rope_factors_long.weight") {
        return Ok(json!({
            "rope_type": "longrope",
            "long_factor": values(checkpoint, "rope_factors_long.weight")?,
            "short_factor": values(checkpoint, "rope_factors_short.weight")?,
            "attention_factor": keys.float("rope.scaling.attn_factor")?,
        }));
    }
    if checkpoint.contains("rope_freqs.weight") {
        let divisors = values(checkpoint, "rope_freqs.weight")?;
        return Ok(json!({ "rope_type": "divided", "divisors": divisors }));
    }
    let Some(kind) = keys.text("rope.scaling.type")?.filter(|kind| *kind != "none") else {
        return Ok(Value::Null);
    };
    let mut scaling = Map::new();
    scaling.insert("rope_type".to_owned(), kind.into());
    for (name, key) in [
        ("factor", "rope.scaling.factor"),
        ("beta_fast", "rope.scaling.yarn_beta_fast"),
        ("beta_slow", "rope.scaling.yarn_beta_slow"),
    ] {
        scaling.insert(name.to_owned(), keys.float(key)?.into());
    }
    Ok(Value::Object(scaling))
}

/// The values of a small tensor.
fn values(checkpoint: &Checkpoint, name: &str) -> Result<Vec<f32>, LoadError> {
    let mut values = Vec::new();
    checkpoint.get(name)?.to_f32(&mut values)?;
    Ok(values)
}
