//! What is judged: where its weights lie, what its base is, and how it is asked.

mod find;
mod text;
mod trained_with;

use std::path::{Path, PathBuf};

use anyhow::Context;
use causal_lm::adapter::read_adapter_spec;
use causal_lm::{DenseDtype, LoadOptions, Quantization, read_config};
use checkpoint_files::Checkpoint;
use cpu_kernels::ComputeDtype;
use run_manifest::{FileEntry, digest_file};
use serde::{Deserialize, Serialize};
use stage_cli::Hint;

use crate::config::EvalConfig;

pub(crate) use find::{Found, find};
pub(crate) use text::ModelText;
use trained_with::TrainedWith;

/// One of the two models that are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Which {
    /// The one that `--model-dir` names.
    Tuned,
    /// What it was before.
    Base,
}

impl Which {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::Base => "base",
        }
    }
}

/// A model that can be loaded, and its base where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// What is judged.
    pub(crate) tuned: Weights,
    /// The untuned model beside it; `None` where what is judged is no tuned model, or its base is not known.
    pub(crate) base: Option<Weights>,
    /// Whether the base is the tuned model with its adapter taken off.
    pub(crate) base_is_without_adapter: bool,
    /// Tokens that it knows.
    pub(crate) vocab_size: usize,
    /// Positions that it was made for.
    pub(crate) max_positions: usize,
}

/// Where weights lie, and how they are loaded.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// A folder as transformers saves it, or a GGUF file.
    pub(crate) path: PathBuf,
    /// How.
    pub(crate) options: LoadOptions,
}

impl Model {
    /// Looks at the files that `found` names, and at how training had them; nothing is loaded.
    ///
    /// # Errors
    /// Files that are missing, damaged or do not fit each other.
    pub(crate) fn read(found: &Found, config: &EvalConfig) -> anyhow::Result<Self> {
        let trained = found.trained_with.clone().unwrap_or_default();
        let as_trained = load_options(&trained, config);
        match found.adapter.as_deref() {
            Some(adapter) => of_adapter(found, adapter, as_trained),
            None => of_whole(found, as_trained, config),
        }
    }

    pub(crate) fn weights(&self, which: Which) -> Option<&Weights> {
        match which {
            Which::Tuned => Some(&self.tuned),
            Which::Base => self.base.as_ref(),
        }
    }

    /// Every file that answers follow from, with its digest.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<FileEntry>> {
        let mut paths = Vec::new();
        for weights in [Some(&self.tuned), self.base.as_ref()].into_iter().flatten() {
            if let Some(adapter) = &weights.options.adapter {
                let names = ["adapter_config.json", "adapter_model.safetensors"];
                paths.extend(names.map(|name| adapter.join(name)));
            }
            paths.push(weights.path.join("config.json"));
            paths.extend(Checkpoint::open(&weights.path)?.files().map(Path::to_owned));
        }
        let mut seen: Vec<PathBuf> = Vec::new();
        let mut entries = Vec::new();
        for path in paths {
            if path.is_file() && !seen.contains(&path) {
                entries.push(digest_file(&path, &path.to_string_lossy())?);
                seen.push(path);
            }
        }
        Ok(entries)
    }
}

/// How training loaded the base, but for what the settings say otherwise.
fn load_options(trained: &TrainedWith, config: &EvalConfig) -> LoadOptions {
    let double = config.double_quantization.unwrap_or(trained.double_quantization);
    LoadOptions {
        quantization: config.quantization.unwrap_or(trained.quantization).with(double),
        dtype: config.dtype.unwrap_or(trained.dtype).into(),
        compute: config.compute_dtype.unwrap_or(trained.compute_dtype).into(),
        adapter: None,
        min_vocab_size: 0,
    }
}

fn of_adapter(found: &Found, adapter: &Path, options: LoadOptions) -> anyhow::Result<Model> {
    let base = found.base.clone().context("an adapter has a base")?;
    let config =
        read_config(&base).with_context(|| format!("the base model {}", base.display()))?;
    let spec = read_adapter_spec(adapter, &config);
    // Only trained tokens are asked for; an adapter that cannot be trained on can be judged all the same.
    let tokens = spec.map(|spec| spec.trainable_tokens).unwrap_or_default();
    let highest = tokens.iter().max().map_or(0, |token| token + 1);
    let vocab_size = config.vocab_size.max(highest);
    let base_options = LoadOptions { min_vocab_size: highest, ..options.clone() };
    let tuned_options = LoadOptions { adapter: Some(adapter.to_owned()), ..options };
    Ok(Model {
        tuned: Weights { path: base.clone(), options: tuned_options },
        base: Some(Weights { path: base, options: base_options }),
        base_is_without_adapter: tokens.is_empty(),
        vocab_size,
        max_positions: config.max_positions,
    })
}

fn of_whole(found: &Found, as_trained: LoadOptions, config: &EvalConfig) -> anyhow::Result<Model> {
    let whole = read_config(&found.weights)
        .hint("--model-dir names a run of train-sft, a checkpoint, an adapter, a model folder or a GGUF file")?;
    let base = found.base.clone().filter(|base| *base != found.weights);
    let base = match base {
        Some(base) if base.exists() => {
            let options = LoadOptions { min_vocab_size: whole.vocab_size, ..as_trained.clone() };
            Some(Weights { path: base, options })
        }
        Some(base) => {
            tracing::warn!(
                "there is no base model at {}, so the model is judged alone; --base-model says where it is",
                base.display()
            );
            None
        }
        None => None,
    };
    // What was merged or trained whole has been dequantized, and is loaded as it lies there.
    let double = config.double_quantization.unwrap_or(true);
    let options = LoadOptions {
        quantization: config.quantization.map_or(Quantization::None, |kind| kind.with(double)),
        dtype: config.dtype.map_or(DenseDtype::Auto, DenseDtype::from),
        compute: config.compute_dtype.map_or(as_trained.compute, ComputeDtype::from),
        adapter: None,
        min_vocab_size: 0,
    };
    Ok(Model {
        tuned: Weights { path: found.weights.clone(), options },
        base,
        base_is_without_adapter: false,
        vocab_size: whole.vocab_size,
        max_positions: whole.max_positions,
    })
}
