use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use model_cli::{ComputeKind, QuantizationKind, WeightDtype};
use run_manifest::read_manifest;
use serde::Deserialize;

/// The settings of `train-sft` that a model is loaded and asked by. Of an adapter from elsewhere nothing is known, and its
/// base is loaded as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct TrainedWith {
    pub(crate) base_model: Option<String>,
    pub(crate) shards: Option<PathBuf>,
    pub(crate) dataset: Option<PathBuf>,
    pub(crate) quantization: QuantizationKind,
    pub(crate) double_quantization: bool,
    pub(crate) dtype: WeightDtype,
    pub(crate) compute_dtype: ComputeKind,
}

impl TrainedWith {
    /// What `sft.json` in the folder says, else the settings in its manifest where `train-sft` wrote it.
    ///
    /// # Errors
    /// A file that is damaged.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join("sft.json");
        if path.is_file() {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let settings = serde_json::from_str(&text)
                .with_context(|| format!("{} has no settings of train-sft", path.display()))?;
            return Ok(Some(settings));
        }
        let manifest = folder.join("manifest.json");
        if !manifest.is_file() {
            return Ok(None);
        }
        let read = read_manifest(&manifest)?;
        if read.stage != "train-sft" {
            return Ok(None);
        }
        let settings = serde_json::from_value(read.config)
            .with_context(|| format!("{} has no settings of train-sft", manifest.display()))?;
        Ok(Some(settings))
    }
}
