use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stage_cli::{ConfigRules, EnvAlias};
use tokenize::{OnOverflow, Packing, Padding, PromptOptions, RowOptions, StructureTokens};

/// The settings of `configs/tokenize.yaml`, which documents each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenizeConfig {
    pub(crate) max_length: usize,
    pub(crate) structure_tokens: StructureTokens,
    pub(crate) packing: Packing,
    pub(crate) on_overflow: OnOverflow,
    pub(crate) padding: Padding,
    pub(crate) system_prompt: Option<String>,
    pub(crate) end_token: Option<String>,
    pub(crate) template_variables: Map<String, Value>,
}

/// The variable of earlier pipelines.
pub(crate) const RULES: ConfigRules = ConfigRules {
    aliases: &[EnvAlias { variable: "MAX_LENGTH", key: "max_length" }],
    alternatives: &[],
};

impl Default for TokenizeConfig {
    fn default() -> Self {
        Self {
            max_length: 2048,
            structure_tokens: StructureTokens::default(),
            packing: Packing::default(),
            on_overflow: OnOverflow::default(),
            padding: Padding::default(),
            system_prompt: None,
            end_token: None,
            template_variables: Map::new(),
        }
    }
}

impl TokenizeConfig {
    /// What concerns the prompt, and what concerns rows.
    pub(crate) fn parts(&self) -> (PromptOptions, RowOptions) {
        let Self {
            max_length,
            structure_tokens,
            packing,
            on_overflow,
            padding,
            system_prompt,
            end_token,
            template_variables,
        } = self.clone();
        let prompt =
            PromptOptions { structure_tokens, system_prompt, end_token, template_variables };
        (prompt, RowOptions { max_length, on_overflow, packing, padding })
    }
}
