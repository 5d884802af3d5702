use serde_json::{Map, Value};

use super::{Fields, ModelConfig};
use crate::LoadError;
use crate::rope::{RopeConfig, RopeScaling, long_rope_attention_factor, yarn_attention_factor};

/// What `rope_theta` is where nothing says it.
const DEFAULT_THETA: f64 = 10_000.0;

const SUPPORTED: &str = "default, linear, dynamic, llama3, yarn, longrope";

/// Where the settings of one rotary embedding come from.
#[derive(Debug)]
pub(crate) struct RopeSource<'a> {
    /// `rope_parameters` of transformers 5, the older `rope_scaling`, or a part of either.
    pub(crate) parameters: Option<Fields>,
    /// `rope_theta` where the parameters have none.
    pub(crate) theta: f64,
    /// `original_max_position_embeddings` that goes before the parameters' own.
    pub(crate) original_positions: Option<usize>,
    /// The configuration's own fields.
    pub(crate) fields: &'a Fields,
}

/// The rotary embedding of a model that has one for all layers.
pub(crate) fn rope(fields: &Fields, config: &ModelConfig) -> Result<RopeConfig, LoadError> {
    let scaling = fields.section("rope_scaling")?.filter(|scaling| scaling.keys().next().is_some());
    let parameters = match scaling {
        Some(scaling) => Some(scaling),
        None => fields.section("rope_parameters")?,
    };
    let theta = fields.optional_number("rope_theta")?.unwrap_or(DEFAULT_THETA);
    let original_positions = fields.optional_size("original_max_position_embeddings")?;
    rope_of(&RopeSource { parameters, theta, original_positions, fields }, config)
}

/// The rotary embedding that `source` describes, with the defaults of transformers.
pub(crate) fn rope_of(
    source: &RopeSource<'_>,
    config: &ModelConfig,
) -> Result<RopeConfig, LoadError> {
    let none = || Fields::new(source.fields.path(), Map::<String, Value>::new());
    let parameters = source.parameters.clone().unwrap_or_else(none);
    let theta = parameters.optional_number("rope_theta")?.unwrap_or(source.theta);
    let partial = match parameters.optional_number("partial_rotary_factor")? {
        Some(partial) => partial,
        None => source.fields.optional_number("partial_rotary_factor")?.unwrap_or(1.0),
    };
    let rotary_dims = (config.head_dim as f64 * partial) as usize;
    let scaling = scaling(source, &parameters, config)?;
    let rope = RopeConfig { theta, rotary_dims, scaling };
    if let Some((name, len)) = rope.factors_of_other_length() {
        let reason = format!("{name} has {len} numbers for {} pairs of dimensions", rope.pairs());
        return Err(parameters.inconsistent(reason));
    }
    Ok(rope)
}

fn scaling(
    source: &RopeSource<'_>,
    parameters: &Fields,
    config: &ModelConfig,
) -> Result<RopeScaling, LoadError> {
    let max_positions = config.max_positions;
    let key = if parameters.get("rope_type").is_some() { "rope_type" } else { "type" };
    let original_positions = || -> Result<usize, LoadError> {
        let own = parameters.optional_size("original_max_position_embeddings")?;
        Ok(source.original_positions.or(own).unwrap_or(max_positions))
    };
    // The ratio of both contexts stands in for a factor that is missing, as in DeepSeek and Phi.
    let factor_or_ratio = |original: usize| -> Result<f64, LoadError> {
        let ratio = max_positions as f64 / original as f64;
        Ok(parameters.optional_number("factor")?.unwrap_or(ratio))
    };
    Ok(match parameters.text(key)?.unwrap_or("default") {
        "default" => RopeScaling::Default,
        "linear" => RopeScaling::Linear { factor: parameters.number("factor")? },
        "dynamic" => RopeScaling::Dynamic { factor: parameters.number("factor")?, max_positions },
        "llama3" => RopeScaling::Llama3 {
            factor: parameters.number("factor")?,
            low_freq_factor: parameters.number("low_freq_factor")?,
            high_freq_factor: parameters.number("high_freq_factor")?,
            original_positions: original_positions()?,
        },
        "yarn" => {
            let original_positions = original_positions()?;
            let factor = factor_or_ratio(original_positions)?;
            let given = parameters.optional_number("attention_factor")?;
            let mscale = parameters.get("mscale").and_then(Value::as_f64);
            let mscale_all = parameters.get("mscale_all_dim").and_then(Value::as_f64);
            let computed = || yarn_attention_factor(factor, mscale, mscale_all);
            RopeScaling::Yarn {
                factor,
                original_positions,
                beta_fast: parameters.optional_number("beta_fast")?.unwrap_or(32.0),
                beta_slow: parameters.optional_number("beta_slow")?.unwrap_or(1.0),
                truncate: parameters.flag("truncate", true)?,
                attention_factor: given.unwrap_or_else(computed),
            }
        }
        "longrope" | "su" => {
            let original_positions = original_positions()?;
            let factor = factor_or_ratio(original_positions)?;
            let given = parameters.optional_number("attention_factor")?;
            let computed = || long_rope_attention_factor(factor, original_positions);
            RopeScaling::LongRope {
                short: parameters.numbers("short_factor")?,
                long: parameters.numbers("long_factor")?,
                original_positions,
                attention_factor: given.unwrap_or_else(computed),
            }
        }
        // What a GGUF file says by a tensor; see `fields_of_gguf`.
        "divided" => RopeScaling::Divided { divisors: parameters.numbers("divisors")? },
        _ => return Err(parameters.unsupported(key, SUPPORTED)),
    })
}
