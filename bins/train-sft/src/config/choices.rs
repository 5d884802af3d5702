use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use causal_lm::{DenseDtype, Quantization};
use clap::ValueEnum;
use cpu_kernels::ComputeDtype;
use optimizer::StateDtype;
use serde::{Deserialize, Serialize};

/// What projections of the base are quantized to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QuantizationKind {
    /// 4-bit NormalFloat in blocks of 64
    #[default]
    Nf4,
    /// 8 bits with one scale a row
    Int8,
    /// Nothing
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ComputeKind {
    /// 32-bit floats
    #[default]
    F32,
    /// bfloat16; sums stay f32
    Bf16,
}

/// What is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AdapterKind {
    /// A LoRA adapter on a frozen base.
    #[default]
    Lora,
    /// All weights.
    None,
}

/// What becomes of tokens that the tokenizer has beyond the model's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NewTokens {
    /// Their rows are trained.
    #[default]
    Auto,
    /// They stay as they are.
    None,
}

/// How the optimizer keeps its state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StateKind {
    #[default]
    #[serde(rename = "f32")]
    F32,
    #[serde(rename = "8bit")]
    Blockwise8,
}

/// Which projections have an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected `all-linear` or a list of names such as [q_proj, v_proj]")]
pub(crate) enum TargetModules {
    All(AllLinear),
    Named(Vec<String>),
}

/// All of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AllLinear {
    #[serde(rename = "all-linear")]
    AllLinear,
}

/// Where a LoRA adapter begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum LoraStart {
    /// A as PEFT draws it, B zero.
    #[default]
    Default,
    /// A normal with deviation 1/r, B zero.
    Gaussian,
    /// Both zero: for comparisons.
    Zero,
    /// A PEFT adapter.
    Folder(PathBuf),
}

/// Where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Device {
    /// A graphics processor where there is one, else the processor.
    #[default]
    Auto,
    /// The processor, with its own kernels.
    Cpu,
    /// The processor, with the reference backend: slow.
    Ndarray,
    /// A graphics processor, by its number.
    Cuda(usize),
}

/// Whether an earlier run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum Resume {
    /// From the newest whole checkpoint of the output folder, if there is one.
    #[default]
    Auto,
    /// Never.
    None,
    /// From this checkpoint.
    Folder(PathBuf),
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

impl From<StateKind> for StateDtype {
    fn from(state: StateKind) -> Self {
        match state {
            StateKind::F32 => Self::F32,
            StateKind::Blockwise8 => Self::Blockwise8,
        }
    }
}

impl TargetModules {
    /// The names; empty for all.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::All(AllLinear::AllLinear) => &[],
            Self::Named(names) => names,
        }
    }
}

impl Default for TargetModules {
    fn default() -> Self {
        Self::All(AllLinear::AllLinear)
    }
}

impl From<String> for LoraStart {
    fn from(text: String) -> Self {
        match text.as_str() {
            "default" => Self::Default,
            "gaussian" => Self::Gaussian,
            "zero" => Self::Zero,
            _ => Self::Folder(text.into()),
        }
    }
}

impl From<LoraStart> for String {
    fn from(start: LoraStart) -> Self {
        match start {
            LoraStart::Default => "default".to_owned(),
            LoraStart::Gaussian => "gaussian".to_owned(),
            LoraStart::Zero => "zero".to_owned(),
            LoraStart::Folder(folder) => folder.display().to_string(),
        }
    }
}

impl From<String> for Resume {
    fn from(text: String) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            "none" => Self::None,
            _ => Self::Folder(text.into()),
        }
    }
}

impl From<Resume> for String {
    fn from(resume: Resume) -> Self {
        match resume {
            Resume::Auto => "auto".to_owned(),
            Resume::None => "none".to_owned(),
            Resume::Folder(folder) => folder.display().to_string(),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("`{text}` is no device; there are auto, cpu, ndarray, cuda and cuda:N");
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "ndarray" => Ok(Self::Ndarray),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let number = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                number.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Ndarray => f.write_str("ndarray"),
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices() {
        for text in ["auto", "cpu", "ndarray", "cuda", "cuda:3"] {
            assert_eq!(
                text.parse::<Device>().map(|device| device.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!("cuda:0".parse(), Ok(Device::Cuda(0)));
        for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert!(text.parse::<Device>().unwrap_err().contains("is no device"), "{text}");
        }
    }
}
