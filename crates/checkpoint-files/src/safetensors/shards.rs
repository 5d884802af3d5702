use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::atomic::write_atomic;
use super::source::TensorSource;
use super::write::{checked, write_safetensors};
use crate::CheckpointError;
use crate::error::io_error;
use crate::open::{INDEX, SINGLE};

/// The largest shard in bytes of tensors, as transformers' default.
pub const MAX_SHARD_BYTES: u64 = 5_000_000_000;

/// Writes tensors into a folder as transformers does: `model.safetensors` where all of them fit into `max_shard_bytes`, or
/// `model-00001-of-0000N.safetensors` and, last, `model.safetensors.index.json`. Shards are filled in the order of the
/// tensors; a tensor that is larger than a shard has one of its own. Returns the files, index last.
///
/// # Errors
/// As [`write_safetensors`]; [`CheckpointError::OtherWeights`] where the folder holds weights that would be taken for part of
/// these, or in their stead.
pub fn write_shards<'a>(
    folder: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = TensorSource<'a>>,
    metadata: &BTreeMap<String, String>,
    max_shard_bytes: u64,
) -> Result<Vec<PathBuf>, CheckpointError> {
    let folder = folder.as_ref();
    let mut shards: Vec<Vec<TensorSource<'a>>> = vec![Vec::new()];
    let (mut shard_bytes, mut total_size) = (0_u64, 0_u64);
    for (info, _, data) in checked(folder, tensors)? {
        let bytes = info.bytes as u64;
        let is_full = shard_bytes.saturating_add(bytes) > max_shard_bytes;
        if is_full && shards.last().is_some_and(|shard| !shard.is_empty()) {
            shards.push(Vec::new());
            shard_bytes = 0;
        }
        shard_bytes = shard_bytes.saturating_add(bytes);
        total_size = total_size.saturating_add(bytes);
        let (name, dtype, shape) = (info.name, info.dtype, info.shape);
        if let Some(shard) = shards.last_mut() {
            shard.push(TensorSource { name, dtype, shape, data });
        }
    }
    let names = file_names(shards.len());
    refuse_other_weights(folder, &names)?;

    let mut weight_map = BTreeMap::new();
    for (shard, name) in shards.into_iter().zip(&names) {
        for tensor in &shard {
            weight_map.insert(tensor.name.clone(), name.clone());
        }
        write_safetensors(folder.join(name), shard, metadata)?;
    }
    if names.len() > 1 {
        let index = Index { metadata: Total { total_size }, weight_map };
        write_index(&folder.join(INDEX), &index)?;
    }
    Ok(names.iter().map(|name| folder.join(name)).collect())
}

#[derive(serde::Serialize)]
struct Index {
    metadata: Total,
    weight_map: BTreeMap<String, String>,
}

#[derive(serde::Serialize)]
struct Total {
    total_size: u64,
}

fn write_index(path: &Path, index: &Index) -> Result<(), CheckpointError> {
    let mut text = serde_json::to_string_pretty(index)
        .map_err(|source| CheckpointError::Json { path: path.to_owned(), source })?;
    text.push('\n');
    write_atomic(path, |writer| writer.write_all(text.as_bytes()).map_err(io_error("write", path)))
}

/// The files of so many shards, the index among them.
fn file_names(n_shards: usize) -> Vec<String> {
    if n_shards == 1 {
        return vec![SINGLE.to_owned()];
    }
    let shards = (1..=n_shards).map(|i| format!("model-{i:05}-of-{n_shards:05}.safetensors"));
    shards.chain([INDEX.to_owned()]).collect()
}

/// A reader takes `model.safetensors` before an index, and people take stray shards for parts of a model.
fn refuse_other_weights(folder: &Path, names: &[String]) -> Result<(), CheckpointError> {
    if !folder.exists() {
        return Ok(());
    }
    let mut others = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error("list", folder))? {
        let name = entry.map_err(io_error("list", folder))?.file_name();
        let name = name.to_string_lossy().into_owned();
        let is_weights =
            name == INDEX || (name.starts_with("model") && name.ends_with(".safetensors"));
        if is_weights && !names.contains(&name) {
            others.push(name);
        }
    }
    others.sort_unstable();
    if others.is_empty() {
        return Ok(());
    }
    Err(CheckpointError::OtherWeights { path: folder.to_owned(), others })
}
