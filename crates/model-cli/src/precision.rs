use causal_lm::{DenseDtype, Quantization};
use clap::ValueEnum;
use cpu_kernels::ComputeDtype;
use cpu_kernels::decoder::KvDtype;
use serde::{Deserialize, Serialize};

/// What projections are quantized to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuantizationKind {
    /// Nothing
    #[default]
    None,
    /// 4-bit NormalFloat in blocks of 64
    Nf4,
    /// 8 bits with one scale a row
    Int8,
}

/// How dense weights lie in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightDtype {
    /// As they are stored
    #[default]
    Auto,
    /// 32-bit floats
    F32,
    /// bfloat16
    Bf16,
    /// IEEE half precision
    F16,
}

/// Precision of the factors of products; sums are f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ComputeKind {
    /// 32-bit floats
    #[default]
    F32,
    /// bfloat16
    Bf16,
}

/// How keys and values lie in the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// 32-bit floats
    #[default]
    F32,
    /// bfloat16
    Bf16,
    /// 8 bits with one scale a vector
    Q8,
}

impl QuantizationKind {
    /// The quantization; `double` also quantizes the scales of NF4.
    pub fn with(self, double: bool) -> Quantization {
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
