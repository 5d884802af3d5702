mod fault;
mod known_keys;
mod layer;
mod nearest;
mod yaml_file;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{anyhow, bail};
use figment::Figment;
use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Hint;
use crate::environment::Environment;
use known_keys::KnownKeys;
use layer::{Layer, Origin};

/// What a stage's settings have beyond their keys; declared once, beside the settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConfigRules {
    /// Variables of the environment that set one setting.
    pub aliases: &'static [EnvAlias],
    /// Settings that stand for each other, in groups: a layer that sets one of a group takes away what
    /// earlier layers say of the other groups, so that a flag or variable wins over a file that says the
    /// same in another way.
    pub alternatives: &'static [&'static [&'static str]],
}

/// A variable by a name of its own, such as other programs of the field use.
///
/// It ranks above the settings file and below `THESISFORGE_STAGE_KEY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvAlias {
    /// The variable, such as `BASE_MODEL`.
    pub variable: &'static str,
    /// The setting, with dots.
    pub key: &'static str,
}

/// Settings, and who decided them.
#[derive(Debug)]
pub(crate) struct Layered<T> {
    pub(crate) settings: T,
    /// Settings whose value is that of a variable: the key with dots, and the variable by name.
    pub(crate) by_variables: Vec<(String, String)>,
}

/// Settings of `stage`: the defaults, then the file, then the environment and `.env` (first the
/// aliases, then `THESISFORGE_STAGE_KEY`, where `__` goes into a section), then the flags; a later
/// layer wins.
///
/// # Errors
/// A file that cannot be read, an unknown key, a value of the wrong type: with the layer that it came
/// from, the key, what is wanted there, and the key that was probably meant.
pub(crate) fn layered<T>(
    stage: &str,
    file: Option<&Path>,
    environment: &Environment,
    rules: &ConfigRules,
    flags: &impl Serialize,
) -> anyhow::Result<Layered<T>>
where
    T: Default + Serialize + DeserializeOwned,
{
    let defaults = dict(&T::default())?;
    let known = KnownKeys::new(defaults.clone());
    let prefix = format!("THESISFORGE_{}_", stage.to_uppercase().replace('-', "_"));
    let spelling = Spelling { stage, prefix: &prefix, known: &known };

    let mut layers = Vec::new();
    if let Some(path) = file {
        let values = yaml_file::read_yaml(path)?;
        layers.push(Layer { origin: Origin::File(path.display().to_string()), values });
    }
    for EnvAlias { variable, key } in rules.aliases {
        if let Some(variable) = environment.variable(variable)? {
            layers.push(Layer::of_variable(&variable, key, &known));
        }
    }
    for variable in environment.beginning_with(&prefix)? {
        let key = variable.name[prefix.len()..].to_lowercase().replace("__", ".");
        layers.push(Layer::of_variable(&variable, &key, &known));
    }
    for layer in &layers {
        spelling.refuse_unknown(layer).hint(hint(stage))?;
    }
    layers.push(Layer { origin: Origin::Flags, values: dict(flags)? });

    let mut merged = Figment::from(Layer { origin: Origin::Defaults, values: defaults });
    for layer in &layers {
        if let Some(cleared) = layer.cleared(rules) {
            merged = merged.merge(cleared);
        }
        merged = merged.merge(layer.clone());
    }
    let settings = merged.extract().map_err(|error| spelling.error(&error, &layers));
    Ok(Layered { settings: settings.hint(hint(stage))?, by_variables: decided(&layers, rules) })
}

fn hint(stage: &str) -> String {
    format!(
        "every key and its default is in the stage's file under configs/; `{stage} --help` lists the \
         flags"
    )
}

fn dict(settings: &impl Serialize) -> anyhow::Result<Dict> {
    match Value::serialize(settings).map_err(|error| anyhow!("{error}"))? {
        Value::Dict(_, dict) => Ok(dict),
        _ => bail!("settings must be a mapping"),
    }
}

/// The settings that a variable decides: those that no later layer sets or clears.
fn decided(layers: &[Layer], rules: &ConfigRules) -> Vec<(String, String)> {
    let mut decided: Vec<(String, String)> = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        let Origin::Variable { key, shown, .. } = &layer.origin else { continue };
        if !layers[at + 1..].iter().any(|later| later.sets_or_clears(key, rules)) {
            decided.push((key.clone(), shown.clone()));
        }
    }
    decided
}

/// How keys are written where they were found.
struct Spelling<'a> {
    stage: &'a str,
    prefix: &'a str,
    known: &'a KnownKeys,
}

impl Spelling<'_> {
    fn refuse_unknown(&self, layer: &Layer) -> anyhow::Result<()> {
        let words: Vec<String> = self
            .known
            .unknown(&layer.values)
            .into_iter()
            .map(|unknown| {
                let spelled = |key: &str| self.spelled(&layer.origin, key);
                fault::unknown(self.stage, &unknown.key, unknown.meant.as_deref(), spelled)
            })
            .collect();
        match words.as_slice() {
            [] => Ok(()),
            [one] => bail!("{}: {one}", layer.origin),
            many => bail!("{}:\n  {}", layer.origin, many.join("\n  ")),
        }
    }

    /// What serde found, in words.
    fn error(&self, error: &figment::Error, layers: &[Layer]) -> anyhow::Error {
        let name = error.metadata.as_ref().map_or("", |metadata| metadata.name.as_ref());
        let origins = layers.iter().map(|layer| &layer.origin);
        let origin = origins
            .into_iter()
            .find(|origin| origin.to_string() == name)
            .unwrap_or(&Origin::Defaults);
        let meant = |key: &str| self.known.meant(key);
        let spelled = |key: &str| self.spelled(origin, key);
        let words = fault::fault(self.stage, &error.path.join("."), &error.kind, meant, spelled);
        anyhow!("{origin}: {words}")
    }

    /// A key as the layer writes it: a file with dots, the environment as a variable.
    fn spelled(&self, origin: &Origin, key: &str) -> String {
        match origin {
            Origin::Variable { .. } => {
                format!("{}{}", self.prefix, key.to_uppercase().replace('.', "__"))
            }
            _ => format!("`{key}`"),
        }
    }
}
