//! What else belongs to a model: its tokenizer, its chat template, how it is sampled.

use std::fs;
use std::path::Path;

use crate::LoadError;

/// Files that are copied where they are there.
pub(super) const COMPANIONS: [&str; 9] = [
    "added_tokens.json",
    "chat_template.jinja",
    "generation_config.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
];

/// Copies each of the files from the first of the folders that has it.
pub(super) fn copy_companions(
    folders: &[Option<&Path>],
    names: &[&str],
    out: &Path,
) -> Result<(), LoadError> {
    for name in names {
        let places = folders.iter().flatten().map(|folder| folder.join(name));
        let Some(from) = places.into_iter().find(|from| from.exists()) else { continue };
        let io = |source| LoadError::Io { action: "copy", path: from.clone(), source };
        fs::copy(&from, out.join(name)).map_err(io)?;
    }
    Ok(())
}
