//! The families of decoders, one file each: how `config.json` becomes a [`ModelConfig`].
//!
//! A new family is its file, its line in [`FAMILIES`], a fixture, and a line of documentation.

mod gemma3;
mod llama;
mod mistral;
mod phi3;
mod qwen2;
mod qwen3;

use crate::config::{Fields, check};
use crate::{LoadError, ModelConfig};

/// All families.
const FAMILIES: [&Family; 6] = [
    &llama::FAMILY,
    &mistral::FAMILY,
    &qwen2::FAMILY,
    &qwen3::FAMILY,
    &phi3::FAMILY,
    &gemma3::FAMILY,
];

/// A family of decoders.
#[derive(Debug)]
pub(crate) struct Family {
    /// `model_type` in `config.json`.
    pub(crate) name: &'static str,
    /// Its class in transformers: what `architectures` in `config.json` says, and servers look for.
    pub(crate) class: &'static str,
    /// `general.architecture` in GGUF; `None` where a GGUF file calls it by another family's name.
    pub(crate) gguf: Option<GgufFamily>,
    /// Reads the configuration.
    pub(crate) read: fn(&Fields) -> Result<ModelConfig, LoadError>,
}

/// In what a family's GGUF files differ from its checkpoints, besides names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GgufFamily {
    /// `general.architecture`.
    pub(crate) architecture: &'static str,
    /// Rows of queries and keys are stored in pairs (dimension `i` beside `i + half`), as the first Llama code had them.
    pub(crate) permuted_qk: bool,
}

/// Reads and checks a configuration of any family.
pub(crate) fn read_config(fields: &Fields) -> Result<ModelConfig, LoadError> {
    let Some(name) = fields.text("model_type")? else {
        let path = fields.path().to_owned();
        return Err(LoadError::ConfigMissing { path, key: "model_type".to_owned() });
    };
    let Some(family) = FAMILIES.iter().find(|family| family.name == name) else {
        return Err(unsupported(fields, name));
    };
    let config = (family.read)(fields)?;
    check(&config, fields)?;
    Ok(config)
}

/// The family whose GGUF files have this `general.architecture`.
pub(crate) fn family_of_gguf(architecture: &str) -> Option<(&'static Family, GgufFamily)> {
    let of = |family: &&'static Family| Some((*family, family.gguf?));
    FAMILIES.iter().filter_map(of).find(|(_, gguf)| gguf.architecture == architecture)
}

/// How GGUF files of a family are written; `None` where no family has this name.
pub(crate) fn gguf_family(name: &str) -> Option<GgufFamily> {
    let of = |name: &str| FAMILIES.iter().find(|family| family.name == name)?.gguf;
    // Those of Mistral are files of Llama.
    of(name).or_else(|| of("llama").filter(|_| name == mistral::FAMILY.name))
}

/// The class in transformers of a family; `None` where no family has this name.
pub(crate) fn class_of(name: &str) -> Option<&'static str> {
    FAMILIES.iter().find(|family| family.name == name).map(|family| family.class)
}

/// The names of all families, for errors and documentation.
pub fn supported_families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.name)
}

fn unsupported(fields: &Fields, family: &str) -> LoadError {
    LoadError::UnsupportedFamily { path: fields.path().to_owned(), family: family.to_owned() }
}
