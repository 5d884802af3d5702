use std::path::Path;

use lora_linear::LoraScaling;
use serde_json::Value;

use super::targets::{ModuleNames, RankPattern};
use crate::LoadError;
use crate::config::Fields;

/// The settings of an adapter that decide what it computes.
#[derive(Debug)]
pub(crate) struct AdapterSettings {
    pub(super) rank: usize,
    pub(super) alpha: f64,
    pub(super) rank_pattern: RankPattern,
    pub(super) alpha_pattern: RankPattern,
    pub(super) scaling: LoraScaling,
    pub(super) dora: bool,
    pub(super) targets: ModuleNames,
    pub(super) excluded: ModuleNames,
    pub(super) layers: Option<Vec<usize>>,
    /// Tokens of the embedding whose rows the adapter has, by index.
    pub(super) tokens: Vec<usize>,
}

/// Settings that say something to people or to training only.
const IGNORED: [&str; 15] = [
    "auto_mapping",
    "base_model_name_or_path",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "inference_mode",
    "loftq_config",
    "lora_dropout",
    "lora_ga_config",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
    "task_type",
];

/// Settings that are read.
const READ: [&str; 14] = [
    "alpha_pattern",
    "bias",
    "exclude_modules",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "peft_type",
    "r",
    "rank_pattern",
    "target_modules",
    "trainable_token_indices",
    "use_dora",
    "use_rslora",
];

/// Ways to begin that leave the base as it is.
const INITIAL: [&str; 3] = ["gaussian", "eva", "orthogonal"];

impl AdapterSettings {
    /// Reads `adapter_config.json`. A setting that is unknown, or known and not supported, is an error unless it is off.
    pub(super) fn read(path: &Path) -> Result<Self, LoadError> {
        let fields = Fields::read(path)?;
        let unsupported = |key: &str| LoadError::AdapterSetting {
            path: path.to_owned(),
            key: key.to_owned(),
            got: fields.get(key).map(ToString::to_string).unwrap_or_default(),
        };
        let refuse = |key: &str, ok: &dyn Fn(&Value) -> bool| match fields.get(key) {
            Some(value) if !ok(value) => Err(unsupported(key)),
            _ => Ok(()),
        };
        refuse("peft_type", &|value| value == "LORA")?;
        refuse("bias", &|value| value == "none")?;
        refuse("init_lora_weights", &|value| {
            value.is_boolean() || value.as_str().is_some_and(|way| INITIAL.contains(&way))
        })?;
        // Any layer's list is as good as another's: there is one.
        refuse("layers_pattern", &|value| {
            is_off(value)
                || *value == "layers"
                || value.as_array().is_some_and(|all| all.iter().all(|one| one == "layers"))
        })?;
        for key in fields.keys().filter(|key| !READ.contains(key) && !IGNORED.contains(key)) {
            refuse(key, &is_off)?;
        }
        let layers = match fields.get("layers_to_transform") {
            None => None,
            Some(value) => Some(indices(value).ok_or_else(|| unsupported("layers_to_transform"))?),
        };
        let tokens = match fields.get("trainable_token_indices") {
            None => Vec::new(),
            Some(value) => tokens(value).ok_or_else(|| unsupported("trainable_token_indices"))?,
        };
        Ok(Self {
            rank: fields.size("r")?,
            alpha: fields.number("lora_alpha")?,
            rank_pattern: RankPattern::read(&fields, "rank_pattern")?,
            alpha_pattern: RankPattern::read(&fields, "alpha_pattern")?,
            scaling: match fields.flag("use_rslora", false)? {
                true => LoraScaling::RankStabilized,
                false => LoraScaling::Standard,
            },
            dora: fields.flag("use_dora", false)?,
            targets: ModuleNames::read(&fields, "target_modules")?,
            excluded: ModuleNames::read(&fields, "exclude_modules")?,
            layers,
            tokens,
        })
    }
}

/// Whether a setting says nothing: false, or an empty list, object or text.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(_) => false,
    }
}

/// One index or many.
fn indices(value: &Value) -> Option<Vec<usize>> {
    let index = |value: &Value| usize::try_from(value.as_u64()?).ok();
    match value {
        Value::Array(values) => values.iter().map(index).collect(),
        value => Some(vec![index(value)?]),
    }
}

/// Tokens of the embedding: a list, or an object that names no other module.
fn tokens(value: &Value) -> Option<Vec<usize>> {
    match value {
        Value::Object(modules) if modules.len() == 1 => indices(modules.get("embed_tokens")?),
        Value::Object(modules) if modules.is_empty() => Some(Vec::new()),
        Value::Object(_) => None,
        value => indices(value),
    }
}
