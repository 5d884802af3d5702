//! Llama 1 to 3, and all that goes by its name: SmolLM2, TinyLlama, Yi, …
//!
//! Source: Touvron et al. (2023); Grattafiori et al. (2024).

use super::{Family, GgufFamily};
use crate::config::{Biases, Defaults, Fields, decoder};
use crate::{LoadError, ModelConfig};

pub(super) const FAMILY: Family = Family {
    name: "llama",
    class: "LlamaForCausalLM",
    gguf: Some(GgufFamily { architecture: "llama", permuted_qk: true }),
    read,
};

fn read(fields: &Fields) -> Result<ModelConfig, LoadError> {
    let mut config = decoder(FAMILY.name, fields, &Defaults::default())?;
    let attention = fields.flag("attention_bias", false)?;
    let feed_forward = fields.flag("mlp_bias", false)?;
    config.biases = Biases { qkv: attention, output: attention, feed_forward };
    config.with_rope(fields)
}
