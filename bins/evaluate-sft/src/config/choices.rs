use causal_lm::{DenseDtype, Quantization};
use clap::ValueEnum;
use cpu_kernels::ComputeDtype;
use cpu_kernels::decoder::KvDtype;
use price_cache::ReturnPrice;
use serde::{Deserialize, Serialize};

/// Which model is judged beside the tuned one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Baseline {
    /// The base model that was tuned, under the same prompts
    #[default]
    Base,
    /// None
    None,
}

/// What an answer may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decoding {
    /// Whatever the model writes
    #[default]
    Free,
    /// What follows the grammar of a completion
    Structured,
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Device {
    /// The processor, with its own kernels
    #[default]
    Cpu,
    /// The processor, with the reference backend: slow
    Ndarray,
}

/// How keys and values lie in the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CacheKind {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16.
    Bf16,
    /// 8 bits with one scale a vector.
    Q8,
}

/// What projections of the base are quantized to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QuantizationKind {
    /// 4-bit NormalFloat in blocks of 64.
    Nf4,
    /// 8 bits with one scale a row.
    Int8,
    /// Nothing.
    #[default]
    None,
}

/// How dense weights lie in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WeightDtype {
    /// As they are stored.
    #[default]
    Auto,
    F32,
    Bf16,
    F16,
}

/// Precision of the factors of products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ComputeKind {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16; sums stay f32.
    Bf16,
}

/// The closes that forward returns are taken on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReturnBasis {
    /// Adjusted for splits and dividends; of a ticker without such closes, as they are stored.
    #[default]
    Adjusted,
    /// As they are stored.
    Stored,
}

impl QuantizationKind {
    pub(crate) fn with(self, double: bool) -> Quantization {
        match self {
            Self::None => Quantization::None,
            Self::Nf4 => Quantization::Nf4 { double },
            Self::Int8 => Quantization::Int8,
        }
    }
}

impl From<WeightDtype> for DenseDtype {
    fn from(dtype: WeightDtype) -> Self {
        match dtype {
            WeightDtype::Auto => Self::Auto,
            WeightDtype::F32 => Self::F32,
            WeightDtype::Bf16 => Self::Bf16,
            WeightDtype::F16 => Self::F16,
        }
    }
}

impl From<ComputeKind> for ComputeDtype {
    fn from(dtype: ComputeKind) -> Self {
        match dtype {
            ComputeKind::F32 => Self::F32,
            ComputeKind::Bf16 => Self::Bf16,
        }
    }
}

impl From<CacheKind> for KvDtype {
    fn from(dtype: CacheKind) -> Self {
        match dtype {
            CacheKind::F32 => Self::F32,
            CacheKind::Bf16 => Self::Bf16,
            CacheKind::Q8 => Self::Q8,
        }
    }
}

impl From<ReturnBasis> for ReturnPrice {
    fn from(basis: ReturnBasis) -> Self {
        match basis {
            ReturnBasis::Adjusted => Self::AdjClose,
            ReturnBasis::Stored => Self::Close,
        }
    }
}
