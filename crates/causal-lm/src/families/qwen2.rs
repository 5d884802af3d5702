//! Qwen2 and Qwen2.5: biases on queries, keys and values; windows on the upper layers where they are switched on.
//!
//! Source: Yang et al. (2024), Qwen2 Technical Report.

use super::{Family, GgufFamily};
use crate::config::{Biases, Defaults, Fields, decoder, sliding_window};
use crate::{LoadError, ModelConfig};

pub(super) const FAMILY: Family = Family {
    name: "qwen2",
    class: "Qwen2ForCausalLM",
    gguf: Some(GgufFamily { architecture: "qwen2", permuted_qk: false }),
    read,
};

fn read(fields: &Fields) -> Result<ModelConfig, LoadError> {
    let defaults = Defaults { max_positions: 32768, ..Defaults::default() };
    let mut config = decoder(FAMILY.name, fields, &defaults)?;
    config.biases = Biases { qkv: true, ..Biases::default() };
    let windows = sliding_window(fields, config.layers.len())?;
    config.with_windows(windows).with_rope(fields)
}
