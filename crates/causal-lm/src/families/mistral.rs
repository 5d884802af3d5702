//! Mistral 7B and its kin: Llama with a sliding window.
//!
//! Source: Jiang et al. (2023).

use super::Family;
use crate::config::{Defaults, Fields, decoder};
use crate::{LoadError, ModelConfig};

pub(super) const FAMILY: Family = Family {
    name: "mistral",
    class: "MistralForCausalLM",
    // GGUF files of Mistral say `llama`.
    gguf: None,
    read,
};

fn read(fields: &Fields) -> Result<ModelConfig, LoadError> {
    let defaults = Defaults { kv_heads: Some(8), max_positions: 4096 * 32, ..Defaults::default() };
    let config = decoder(FAMILY.name, fields, &defaults)?;
    // A missing window is one of 4096, and null is none, as in transformers.
    let window = match fields.has("sliding_window") {
        true => fields.optional_size("sliding_window")?,
        false => Some(4096),
    };
    let windows = vec![window; config.layers.len()];
    config.with_windows(windows).with_rope(fields)
}
