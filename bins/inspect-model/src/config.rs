use causal_lm::generate::SamplingOptions;
use serde::{Deserialize, Serialize};

use crate::args::{CacheArg, ComputeArg, DeviceArg, DtypeArg, QuantizationArg};

/// The settings of `configs/inspect.yaml`, which documents each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InspectConfig {
    pub(crate) device: DeviceArg,
    pub(crate) quantization: QuantizationArg,
    pub(crate) double_quantization: bool,
    pub(crate) dtype: DtypeArg,
    pub(crate) compute_dtype: ComputeArg,
    pub(crate) kv_cache: CacheArg,
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
            device: DeviceArg::default(),
            quantization: QuantizationArg::default(),
            double_quantization: false,
            dtype: DtypeArg::default(),
            compute_dtype: ComputeArg::default(),
            kv_cache: CacheArg::default(),
            prefill_chunk: 512,
            max_new_tokens: 256,
            sampling: SamplingOptions::default(),
            seed: 7,
            stop: Vec::new(),
            samples: 1,
        }
    }
}
