use super::{AnswerId, GenerateError};

/// Something that happened to an answer.
#[derive(Debug)]
pub struct Event {
    /// Whose it is.
    pub answer: AnswerId,
    /// What happened.
    pub happening: Happening,
}

/// What happened. After [`Happening::Finished`] and [`Happening::Failed`] nothing follows for that answer.
#[derive(Debug)]
pub enum Happening {
    /// The answer has one more token.
    Token(Token),
    /// The answer is complete.
    Finished(Finish),
    /// The answer cannot go on; the others of the batch do.
    Failed(GenerateError),
}

/// A token of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// Its log-probability in the model's own distribution, before penalty, constraint, temperature and filters;
    /// `None` where a constraint left no choice and the model was not asked.
    pub log_prob: Option<f32>,
    /// The most likely tokens of that distribution with their log-probabilities, likeliest first; as many as were
    /// asked for.
    pub top: Vec<(u32, f32)>,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    /// The model chose a stop token, which is not part of the answer.
    StopToken(Token),
    /// The answer has as many tokens as it may have.
    Length,
    /// Nothing may follow by the constraint.
    Constraint,
    /// The caller ended it.
    Cancelled,
}
