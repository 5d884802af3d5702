use causal_lm::MergedDtype;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

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

impl From<InitDtypeArg> for MergedDtype {
    fn from(dtype: InitDtypeArg) -> Self {
        match dtype {
            InitDtypeArg::Bf16 => Self::Bf16,
            InitDtypeArg::F32 => Self::F32,
        }
    }
}
