use clap::ValueEnum;
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

impl From<ReturnBasis> for ReturnPrice {
    fn from(basis: ReturnBasis) -> Self {
        match basis {
            ReturnBasis::Adjusted => Self::AdjClose,
            ReturnBasis::Stored => Self::Close,
        }
    }
}
