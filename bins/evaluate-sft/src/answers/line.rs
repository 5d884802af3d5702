use lm_evaluate::{AnswerEnd, RowAnswer, TargetLoss};
use serde::{Deserialize, Serialize};

use crate::model::Which;

/// A line of the answers' file behind its first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub(crate) enum Line {
    /// What a model said to a row.
    Answer(Answer),
    /// How near its reasoning is to the reference's.
    Cosine(Cosine),
}

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    /// Those that are judged.
    Judged,
    /// Those that the temperature is fitted on.
    Temperature,
}

/// What a model said to a row, and how likely it found actions and reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) model: Which,
    pub(crate) part: Part,
    /// The row's place in its split, from 0.
    pub(crate) row: usize,
    pub(crate) uid: String,
    pub(crate) text: String,
    pub(crate) end: String,
    /// Tokens of the answer.
    pub(crate) tokens: usize,
    pub(crate) action_log_probs: [f64; 5],
    /// Of rows that are judged.
    pub(crate) loss_sum: Option<f64>,
    pub(crate) target_tokens: Option<u64>,
}

/// How near the reasoning of an answer is to the reference's, by the base model's embeddings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cosine {
    pub(crate) model: Which,
    pub(crate) row: usize,
    pub(crate) uid: String,
    /// `None` where the answer has no reasoning.
    pub(crate) cosine: Option<f64>,
}

/// Which line it is; their order is that of the finished file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Answer(Which, Part, usize),
    Cosine(Which, usize),
}

impl Line {
    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Answer(Answer { model, part, row, .. }) => Key::Answer(*model, *part, *row),
            Self::Cosine(Cosine { model, row, .. }) => Key::Cosine(*model, *row),
        }
    }
}

impl Answer {
    pub(crate) fn new(model: Which, part: Part, row: usize, uid: &str, answer: RowAnswer) -> Self {
        let RowAnswer { ids, text, parsed: _, end, action_log_probs, loss } = answer;
        let end = match end {
            AnswerEnd::Stop => "stop",
            AnswerEnd::Length => "length",
            AnswerEnd::Grammar => "grammar",
        };
        Self {
            model,
            part,
            row,
            uid: uid.to_owned(),
            text,
            end: end.to_owned(),
            tokens: ids.len(),
            action_log_probs,
            loss_sum: loss.map(|TargetLoss { sum, .. }| sum),
            target_tokens: loss.map(|TargetLoss { tokens, .. }| tokens),
        }
    }
}
