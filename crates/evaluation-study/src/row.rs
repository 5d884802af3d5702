use thesis_core::{Action, AsOfDate, ParsedAnswer, Ticker};

/// A record that was put to the tuned model, and to the base model where there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedRow {
    /// The record's `uid`.
    pub uid: String,
    /// The stock.
    pub ticker: Ticker,
    /// The day up to whose close the record tells.
    pub as_of_date: AsOfDate,
    /// The analyst's call.
    pub label: Action,
    /// The record's output: the completion that the model was trained to write.
    pub reference: String,
    /// The return from close to close after each of
    /// [`StudySettings::forward_windows`](crate::StudySettings), as a fraction; NaN where the data
    /// end before.
    pub forward_returns: Vec<f64>,
    /// What the tuned model answered.
    pub tuned: ModelAnswer,
    /// What the base model answered; of all rows or of none.
    pub base: Option<ModelAnswer>,
}

/// What a model answered to one record.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAnswer {
    /// The answer as it was written.
    pub text: String,
    /// What could be read of it.
    pub parsed: ParsedAnswer,
    /// Natural logarithms of the probabilities of the five actions at the action's position, in the
    /// order of [`Action::ALL`], up to a constant that they share; `None` where they were not
    /// computed.
    pub action_log_probs: Option<[f64; 5]>,
    /// Sum of −ln p over the target tokens of the reference, each after the true ones before it.
    pub loss_sum: f64,
    /// The number of these tokens.
    pub target_tokens: u64,
    /// Cosine of the mean-pooled embeddings or hidden states of the answer's reasoning and of the
    /// reference's; `None` without a reasoning.
    pub reasoning_cosine: Option<f64>,
}

/// A record of the validation split, on which a temperature is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValidationRow {
    /// The analyst's call.
    pub label: Action,
    /// [`ModelAnswer::action_log_probs`] of the tuned model.
    pub tuned: Option<[f64; 5]>,
    /// Those of the base model.
    pub base: Option<[f64; 5]>,
}
