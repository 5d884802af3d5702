use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde_json::Value;
use stage_cli::Hint;

use super::TrainedWith;

/// What lies where `--model-dir` points.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// In a few words, for reports.
    pub(crate) kind: &'static str,
    /// The model by itself; of an adapter, its base.
    pub(crate) weights: PathBuf,
    /// The folder of the adapter.
    pub(crate) adapter: Option<PathBuf>,
    /// The model before training, where it is known.
    pub(crate) base: Option<PathBuf>,
    /// How it was trained, where that is known.
    pub(crate) trained_with: Option<TrainedWith>,
    /// Folders that may hold the tokenizer and how prompts were made, best first.
    pub(crate) text: Vec<PathBuf>,
}

const WHAT: &str = "--model-dir names a run of train-sft, one of its checkpoints, the folder of a PEFT adapter, a model folder \
                    with config.json, or a GGUF file";

/// Looks what `dir` is. `base` is what the settings say of the base model.
///
/// # Errors
/// Nothing there, nothing that is a model, an adapter whose base is not there.
pub(crate) fn find(dir: &Path, base: Option<&str>) -> anyhow::Result<Found> {
    if !dir.exists() {
        return Err(anyhow!("there is nothing at {}", dir.display())).hint(WHAT);
    }
    if dir.is_file() || dir.join("config.json").is_file() {
        return whole(dir, base, "model");
    }
    if dir.join("adapter_config.json").is_file() {
        return adapter(dir, base, "adapter");
    }
    if dir.join("adapter/adapter_config.json").is_file() {
        return adapter(&dir.join("adapter"), base, "run");
    }
    if dir.join("model/config.json").is_file() {
        return whole(&dir.join("model"), base, "run");
    }
    if let Some(file) = only_gguf(dir)? {
        return whole(&file, base, "model");
    }
    let no = anyhow!("{} is no model, and holds none", dir.display());
    if dir.join("model.safetensors").is_file() {
        return Err(no).hint(
            "a checkpoint of a run with `adapter: none` has weights alone; name the finished run, or put the \
             config.json of its base beside them",
        );
    }
    match checkpoints(dir)?.last() {
        Some(last) => Err(no).hint(format!(
            "the run is not finished: let train-sft go on, or judge a checkpoint of it, --model-dir {}",
            last.display()
        )),
        None => Err(no).hint(WHAT),
    }
}

fn adapter(folder: &Path, base: Option<&str>, kind: &'static str) -> anyhow::Result<Found> {
    let weights = folder.join("adapter_model.safetensors");
    if !weights.is_file() {
        return Err(anyhow!("there is no {}", weights.display()))
            .hint("the adapter's settings are there without its weights: copy it again, or train it again");
    }
    let trained_with = TrainedWith::read(folder)?;
    let named = match base {
        Some(base) => Some(base.to_owned()),
        None => {
            let of_run = trained_with.as_ref().and_then(|trained| trained.base_model.clone());
            of_run.map_or_else(|| base_of_adapter(folder), |base| Ok(Some(base)))?
        }
    };
    let Some(named) = named else {
        return Err(anyhow!("the adapter in {} does not name its base model", folder.display()))
            .hint("--base-model says where it is");
    };
    let base = PathBuf::from(&named);
    if !base.exists() {
        return Err(anyhow!("there is no base model at {named}"))
            .hint("the adapter was trained on it; --base-model says where it is now");
    }
    let kind = match folder.file_name() {
        Some(name) if name.to_string_lossy().starts_with("checkpoint-") => "checkpoint",
        _ => kind,
    };
    Ok(Found {
        kind,
        weights: base.clone(),
        adapter: Some(folder.to_owned()),
        text: text_folders(folder, trained_with.as_ref()),
        base: Some(base),
        trained_with,
    })
}

fn whole(path: &Path, base: Option<&str>, kind: &'static str) -> anyhow::Result<Found> {
    let trained_with = match path.is_dir() {
        true => TrainedWith::read(path)?,
        false => None,
    };
    let of_run = || trained_with.as_ref().and_then(|trained| trained.base_model.clone());
    let base = base.map(str::to_owned).or_else(of_run).map(PathBuf::from);
    let mut text = text_folders(path, trained_with.as_ref());
    // Such a folder is complete by itself; a GGUF file holds its tokenizer.
    text.truncate(1);
    Ok(Found { kind, weights: path.to_owned(), adapter: None, base, trained_with, text })
}

/// Beside the weights; in the run, for its checkpoints; with the shards that the run read.
fn text_folders(folder: &Path, trained_with: Option<&TrainedWith>) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    if let Some(run) = folder.parent() {
        folders.push(run.join("prompt"));
    }
    if let Some(TrainedWith { shards: Some(shards), dataset: None, .. }) = trained_with {
        folders.push(shards.join("tokenizer"));
    }
    folders
}

fn base_of_adapter(folder: &Path) -> anyhow::Result<Option<String>> {
    let path = folder.join("adapter_config.json");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let settings: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
    let base = settings.get("base_model_name_or_path").and_then(Value::as_str);
    Ok(base.filter(|base| !base.is_empty()).map(str::to_owned))
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(read.flatten().map(|entry| entry.path()).collect())
}

/// The one GGUF file of a folder.
fn only_gguf(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let is_gguf = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
    };
    let mut files = entries(folder)?.into_iter().filter(is_gguf);
    let first = files.next();
    Ok(first.filter(|_| files.next().is_none()))
}

/// The checkpoints of a run, by rising step.
fn checkpoints(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let step = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix("checkpoint-")?.parse().ok()
    };
    let mut found: Vec<(u64, PathBuf)> =
        entries(folder)?.into_iter().filter_map(|path| Some((step(&path)?, path))).collect();
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}
