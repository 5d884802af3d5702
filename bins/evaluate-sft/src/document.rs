use evaluation_study::EvaluationStudy;
use serde::Serialize;

use crate::config::EvalConfig;

/// The contents of `NAME.json`: the same inputs give the same bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    /// Every setting.
    pub(crate) config: &'a EvalConfig,
    /// What was judged.
    pub(crate) model: ModelFacts,
    /// Every figure.
    pub(crate) study: &'a EvaluationStudy,
    /// What a reader should know, in sentences.
    pub(crate) warnings: &'a [String],
    /// As manifests have it.
    pub(crate) notice: &'static str,
}

/// What was judged, and how it was asked.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ModelFacts {
    /// As it was given.
    pub(crate) model_dir: String,
    /// Run, checkpoint, adapter or model.
    pub(crate) kind: &'static str,
    /// The base model, where there is one.
    pub(crate) base_model: Option<String>,
    /// What its projections are quantized to, and the precision of products.
    pub(crate) quantization: String,
    pub(crate) compute_dtype: String,
    /// Whether tags and actions are single tokens.
    pub(crate) structure_tokens: bool,
    /// The token that ends an answer.
    pub(crate) end_token: String,
    /// Most tokens of an answer.
    pub(crate) max_new_tokens: usize,
    /// Rows that the temperature was fitted on.
    pub(crate) temperature_rows: usize,
    /// Answers of each model that were cut off at `max_new_tokens`.
    pub(crate) cut_off: Vec<(String, usize)>,
}
