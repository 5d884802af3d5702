use serde::{Deserialize, Serialize};

use crate::PromptOptions;

/// How the prompts of a training run were made: what its model must be asked with afterwards. It lies beside an adapter as
/// `prompt.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptRecipe {
    /// What the prompt format leaves to its user.
    pub prompt: PromptOptions,
    /// Tokens of prompt and answer together to which inputs were shortened, as [`fit`](crate::fit) does it; `None` where
    /// they are whole.
    pub shortened_to: Option<usize>,
}

impl PromptRecipe {
    /// The name of its file.
    pub const FILE: &str = "prompt.json";
}
