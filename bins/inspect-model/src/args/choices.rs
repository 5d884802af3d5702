use causal_lm::{DenseDtype, MergedDtype, Quantization};
use clap::ValueEnum;
use cpu_kernels::ComputeDtype;
use cpu_kernels::decoder::KvDtype;
use serde::{Deserialize, Serialize};

/// Where a model runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeviceArg {
    /// The processor, with its own kernels
    #[default]
    Cpu,
    /// The processor, with the reference backend: slow
    Ndarray,
    /// A graphics processor
    Cuda,
}

/// What projections are quantized to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QuantizationArg {
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
pub(crate) enum DtypeArg {
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

/// Precision of the factors of products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ComputeArg {
    /// 32-bit floats
    #[default]
    F32,
    /// bfloat16
    Bf16,
}

/// How keys and values lie in the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CacheArg {
    /// 32-bit floats
    #[default]
    F32,
    /// bfloat16
    Bf16,
    /// 8 bits with one scale a vector
    Q8,
}

/// How weights are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InitDtypeArg {
    /// bfloat16
    Bf16,
    /// 32-bit floats
    F32,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// For people
    Text,
    /// For programs
    Json,
}

impl QuantizationArg {
    pub(crate) fn with(self, double: bool) -> Quantization {
        match self {
            Self::None => Quantization::None,
            Self::Nf4 => Quantization::Nf4 { double },
            Self::Int8 => Quantization::Int8,
        }
    }
}

impl From<InitDtypeArg> for MergedDtype {
    fn from(dtype: InitDtypeArg) -> Self {
        match dtype {
            InitDtypeArg::Bf16 => Self::Bf16,
            InitDtypeArg::F32 => Self::F32,
        }
    }
}

impl From<DtypeArg> for DenseDtype {
    fn from(dtype: DtypeArg) -> Self {
        match dtype {
            DtypeArg::Auto => Self::Auto,
            DtypeArg::F32 => Self::F32,
            DtypeArg::Bf16 => Self::Bf16,
            DtypeArg::F16 => Self::F16,
        }
    }
}

impl From<ComputeArg> for ComputeDtype {
    fn from(dtype: ComputeArg) -> Self {
        match dtype {
            ComputeArg::F32 => Self::F32,
            ComputeArg::Bf16 => Self::Bf16,
        }
    }
}

impl From<CacheArg> for KvDtype {
    fn from(dtype: CacheArg) -> Self {
        match dtype {
            CacheArg::F32 => Self::F32,
            CacheArg::Bf16 => Self::Bf16,
            CacheArg::Q8 => Self::Q8,
        }
    }
}
