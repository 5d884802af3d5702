//! Phi-3 and Phi-4-mini: fused projections, LongRoPE, a part of each head rotated.
//!
//! Source: Abdin et al. (2024), Phi-3 Technical Report.

use super::{Family, GgufFamily};
use crate::config::{Defaults, Fields, RopeSource, decoder, rope_of};
use crate::rope::RopeScaling;
use crate::{LoadError, ModelConfig};

pub(super) const FAMILY: Family = Family {
    name: "phi3",
    class: "Phi3ForCausalLM",
    gguf: Some(GgufFamily { architecture: "phi3", permuted_qk: false }),
    read,
};

/// `original_max_position_embeddings` where `config.json` has none.
const ORIGINAL_POSITIONS: usize = 4096;

fn read(fields: &Fields) -> Result<ModelConfig, LoadError> {
    let defaults = Defaults { norm_eps: 1e-5, max_positions: 4096, ..Defaults::default() };
    let mut config = decoder(FAMILY.name, fields, &defaults)?;
    config.fused_projections = true;
    let window = fields.optional_size("sliding_window")?;
    let windows = vec![window; config.layers.len()];
    let mut config = config.with_windows(windows);

    let parameters = match fields.section("rope_scaling")? {
        Some(scaling) => Some(scaling),
        None => fields.section("rope_parameters")?,
    };
    let theta = fields.optional_number("rope_theta")?.unwrap_or(10_000.0);
    let original = fields.optional_size("original_max_position_embeddings")?;
    let original_positions = Some(original.unwrap_or(ORIGINAL_POSITIONS));
    let rope = rope_of(&RopeSource { parameters, theta, original_positions, fields }, &config)?;
    if !matches!(rope.scaling, RopeScaling::Default | RopeScaling::LongRope { .. }) {
        let key = if fields.has("rope_scaling") { "rope_scaling" } else { "rope_parameters" };
        return Err(fields.unsupported(key, "default and longrope for phi3"));
    }
    config.ropes = vec![rope];
    Ok(config)
}
