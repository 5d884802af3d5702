//! Qwen3: norms on the heads of queries and keys, heads of their own width.
//!
//! Source: Yang et al. (2025), Qwen3 Technical Report.

use super::{Family, GgufFamily};
use crate::config::{Biases, Defaults, Fields, decoder, sliding_window};
use crate::{LoadError, ModelConfig};

pub(super) const FAMILY: Family = Family {
    name: "qwen3",
    class: "Qwen3ForCausalLM",
    gguf: Some(GgufFamily { architecture: "qwen3", permuted_qk: false }),
    read,
};

fn read(fields: &Fields) -> Result<ModelConfig, LoadError> {
    let defaults = Defaults { head_dim: Some(128), max_positions: 32768, ..Defaults::default() };
    let mut config = decoder(FAMILY.name, fields, &defaults)?;
    let attention = fields.flag("attention_bias", false)?;
    config.biases = Biases { qkv: attention, output: attention, ..Biases::default() };
    config.qk_norms = true;
    let windows = sliding_window(fields, config.layers.len())?;
    config.with_windows(windows).with_rope(fields)
}
