use std::path::PathBuf;

use optimizer::StateDtype;
use serde::{Deserialize, Serialize};

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
