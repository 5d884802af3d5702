use serde::Serialize;

use crate::dates::{Dates, Part};
use crate::{Estimate, ModelAnswer};

/// How likely a model finds the references, each token after the true ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LanguageLoss {
    /// Nats a target token: all −ln p over all target tokens, so that long references count more.
    pub loss: Estimate,
    /// e to the loss.
    pub perplexity: Estimate,
    /// Target tokens of all rows.
    pub target_tokens: u64,
}

/// `None` without a target token.
pub(crate) fn language_loss(answers: &[&ModelAnswer], dates: &Dates) -> Option<LanguageLoss> {
    let loss = dates.share(&loss_parts(answers), None)?;
    Some(LanguageLoss {
        loss,
        perplexity: loss.map_rising(f64::exp),
        target_tokens: answers.iter().map(|answer| answer.target_tokens).sum(),
    })
}

pub(crate) fn loss_parts(answers: &[&ModelAnswer]) -> Vec<Part> {
    let part = |answer: &&ModelAnswer| match answer.target_tokens {
        0 => (0.0, 0.0),
        tokens => (answer.loss_sum, tokens as f64),
    };
    answers.iter().map(part).collect()
}
