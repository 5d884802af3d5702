//! The settings of `configs/eval.yaml`, which documents each key.

mod choices;

use causal_lm::generate::SamplingOptions;
use evaluation_study::{BootstrapSettings, StudySettings};
use model_cli::{CacheKind, ComputeKind, Device, QuantizationKind, WeightDtype};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokenize::PromptOptions;

pub(crate) use choices::{Baseline, Decoding, ReturnBasis};

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EvalConfig {
    pub(crate) split: String,
    pub(crate) max_rows: Option<usize>,
    pub(crate) baseline: Baseline,

    pub(crate) decoding: Decoding,
    pub(crate) max_new_tokens: Option<usize>,
    pub(crate) sampling: SamplingOptions,
    pub(crate) seed: u64,
    pub(crate) prompt: Option<PromptOptions>,

    pub(crate) temperature_split: Option<String>,
    pub(crate) temperature_rows: Option<usize>,

    pub(crate) base_model: Option<String>,
    pub(crate) quantization: Option<QuantizationKind>,
    pub(crate) double_quantization: Option<bool>,
    pub(crate) dtype: Option<WeightDtype>,
    pub(crate) compute_dtype: Option<ComputeKind>,
    pub(crate) device: Device,
    pub(crate) kv_cache: CacheKind,
    pub(crate) batch: usize,
    pub(crate) prefill_chunk: usize,

    pub(crate) forward_windows: Vec<u32>,
    pub(crate) returns: ReturnBasis,
    pub(crate) bins: usize,
    pub(crate) flat_band: f64,
    pub(crate) collapsed_share: f64,
    pub(crate) bootstrap: BootstrapSettings,
}

impl EvalConfig {
    /// How answers are judged.
    pub(crate) fn study(&self) -> StudySettings {
        StudySettings {
            forward_windows: self.forward_windows.clone(),
            bins: self.bins,
            flat_band: self.flat_band,
            collapsed_share: self.collapsed_share,
            bootstrap: self.bootstrap,
        }
    }

    /// What answers follow from, beside the files: those of one run are no other's where any of it differs. What is only
    /// done with answers afterwards is not in it.
    pub(crate) fn of_answers(&self) -> Value {
        let Self {
            split,
            max_rows,
            baseline: _,
            decoding,
            max_new_tokens,
            sampling,
            seed,
            prompt,
            temperature_split,
            temperature_rows,
            // The files have digests of their own.
            base_model: _,
            quantization,
            double_quantization,
            dtype,
            compute_dtype,
            device,
            kv_cache,
            batch,
            prefill_chunk,
            forward_windows: _,
            returns: _,
            bins: _,
            flat_band: _,
            collapsed_share: _,
            bootstrap: _,
        } = self;
        json!({
            "split": split,
            "max_rows": max_rows,
            "decoding": decoding,
            "max_new_tokens": max_new_tokens,
            "sampling": sampling,
            "seed": seed,
            "prompt": prompt,
            "temperature_split": temperature_split,
            "temperature_rows": temperature_rows,
            "quantization": quantization,
            "double_quantization": double_quantization,
            "dtype": dtype,
            "compute_dtype": compute_dtype,
            "device": device,
            "kv_cache": kv_cache,
            "batch": batch,
            "prefill_chunk": prefill_chunk,
        })
    }
}

impl Default for EvalConfig {
    fn default() -> Self {
        let StudySettings { forward_windows, bins, flat_band, collapsed_share, bootstrap } =
            StudySettings::default();
        Self {
            split: "test".to_owned(),
            max_rows: None,
            baseline: Baseline::default(),
            decoding: Decoding::default(),
            max_new_tokens: None,
            sampling: SamplingOptions::default(),
            seed: 7,
            prompt: None,
            temperature_split: Some("validation".to_owned()),
            temperature_rows: Some(64),
            base_model: None,
            quantization: None,
            double_quantization: None,
            dtype: None,
            compute_dtype: None,
            device: Device::default(),
            kv_cache: CacheKind::default(),
            batch: 16,
            prefill_chunk: 1024,
            forward_windows,
            returns: ReturnBasis::default(),
            bins,
            flat_band,
            collapsed_share,
            bootstrap,
        }
    }
}
