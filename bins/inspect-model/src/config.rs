use causal_lm::generate::SamplingOptions;
use model_cli::{CacheKind, ComputeKind, Device, QuantizationKind, WeightDtype};
use serde::{Deserialize, Serialize};

/// The settings of `configs/inspect.yaml`, which documents each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InspectConfig {
    pub(crate) device: Device,
    pub(crate) quantization: QuantizationKind,
    pub(crate) double_quantization: bool,
    pub(crate) dtype: WeightDtype,
    pub(crate) compute_dtype: ComputeKind,
    pub(crate) kv_cache: CacheKind,
    pub(crate) prefill_chunk: usize,
    pub(crate) max_new_tokens: usize,
    pub(crate) sampling: SamplingOptions,
    pub(crate) seed: u64,
    pub(crate) stop: Vec<String>,
    pub(crate) samples: usize,
}

impl Default for InspectConfig {
    fn default() -> Self {
        Self {
            device: Device::default(),
            quantization: QuantizationKind::default(),
            double_quantization: false,
            dtype: WeightDtype::default(),
            compute_dtype: ComputeKind::default(),
            kv_cache: CacheKind::default(),
            prefill_chunk: 512,
            max_new_tokens: 256,
            sampling: SamplingOptions::default(),
            seed: 7,
            stop: Vec::new(),
            samples: 1,
        }
    }
}
