use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use figment::value::{Dict, Value};

/// The mapping of a YAML file; nothing for an empty one.
///
/// # Errors
/// A file that cannot be read, is no YAML, or no mapping, or has a key twice.
pub(crate) fn read_yaml(path: &Path) -> anyhow::Result<Dict> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Its own value first: it refuses a key that stands twice.
    let value: yaml_serde::Value = yaml_serde::from_str(&text)
        .with_context(|| format!("{} cannot be read as YAML", path.display()))?;
    if value.is_null() {
        return Ok(Dict::new());
    }
    match Value::serialize(&value) {
        Ok(Value::Dict(_, dict)) => Ok(dict),
        Ok(_) => {
            bail!("{} is no YAML mapping: it must be lines such as `key: value`", path.display())
        }
        Err(error) => bail!("{}: {}", path.display(), error.kind),
    }
}

/// The value of a variable, written as in a YAML file: lists and mappings in brackets. What `default` says
/// is text stays text, also where it looks like a number.
pub(crate) fn read_value(text: &str, default: Option<&Value>) -> Value {
    let as_text = || Value::from(text.trim());
    let Ok(value) = yaml_serde::from_str::<yaml_serde::Value>(text) else {
        return as_text();
    };
    let brackets = text.trim_start().starts_with(['[', '{']);
    if !brackets && (value.is_mapping() || value.is_sequence()) {
        return as_text();
    }
    let scalar = value.is_number() || value.is_bool();
    if scalar && default.is_some_and(|default| default.as_str().is_some()) {
        return as_text();
    }
    Value::serialize(&value).unwrap_or_else(|_| as_text())
}
