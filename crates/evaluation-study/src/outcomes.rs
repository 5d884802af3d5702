use serde::Serialize;
use thesis_core::AnswerOutcome;

use crate::dates::{Dates, Part};
use crate::{Estimate, ModelAnswer};

/// How far answers kept the grammar of completions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagValidity {
    /// The share of answers that are valid to the letter.
    pub valid: Estimate,
    /// How many answers came out in each way, those that no answer did too.
    pub outcomes: Vec<OutcomeCount>,
}

/// How many answers came out in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OutcomeCount {
    /// Which.
    pub outcome: AnswerOutcome,
    /// Answers.
    pub count: u64,
}

pub(crate) fn tag_validity(answers: &[&ModelAnswer], dates: &Dates) -> Option<TagValidity> {
    let count = |outcome| answers.iter().filter(|a| a.parsed.outcome == outcome).count() as u64;
    let counted = |outcome| OutcomeCount { outcome, count: count(outcome) };
    Some(TagValidity {
        valid: dates.share(&valid_parts(answers), None)?,
        outcomes: AnswerOutcome::ALL.into_iter().map(counted).collect(),
    })
}

pub(crate) fn valid_parts(answers: &[&ModelAnswer]) -> Vec<Part> {
    let is_valid = |answer: &&ModelAnswer| answer.parsed.outcome == AnswerOutcome::Valid;
    answers.iter().map(|answer| (f64::from(is_valid(answer)), 1.0)).collect()
}
