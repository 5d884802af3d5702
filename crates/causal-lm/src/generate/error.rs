use std::error::Error;

/// An error of a part that the engine knows as a trait only: a model, a constraint.
pub type AnyError = Box<dyn Error + Send + Sync>;

/// What can go wrong between a prompt and its answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A setting of sampling outside of its range.
    #[error("{name} is {value}, but must be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A batch without room for a single token.
    #[error("{name} is 0, but a batch needs at least 1")]
    EmptyBatch {
        /// The setting.
        name: &'static str,
    },
    /// Nothing to continue from.
    #[error("the prompt has no tokens")]
    EmptyPrompt,
    /// An id that the model does not know.
    #[error("id {id} at position {position} is outside of the vocabulary of {vocabulary}")]
    UnknownId {
        /// The id.
        id: u32,
        /// Where it stands.
        position: usize,
        /// Number of ids that the model knows.
        vocabulary: usize,
    },
    /// A prompt and an answer that have no place in the cache.
    #[error(
        "a prompt of {prompt} tokens and an answer of up to {max_new_tokens} need more than the {capacity} tokens of a \
         slot of the cache"
    )]
    TooLong {
        /// Tokens of the prompt.
        prompt: usize,
        /// Most tokens of the answer.
        max_new_tokens: usize,
        /// Tokens of a slot.
        capacity: usize,
    },
    /// Logits that are no distribution: NaN, an infinity, or nothing but negative infinities.
    #[error("the logits after {position} tokens are not finite: {found}")]
    NotFinite {
        /// Number of tokens before.
        position: usize,
        /// What was found.
        found: &'static str,
    },
    /// A constraint that leaves no token.
    #[error("the constraint allows no token after {position} tokens")]
    NoTokenAllowed {
        /// Number of tokens before.
        position: usize,
    },
    /// A constraint failed.
    #[error("the constraint failed after {position} tokens")]
    Constraint {
        /// Number of tokens before.
        position: usize,
        /// Why.
        #[source]
        source: AnyError,
    },
    /// The model failed.
    #[error("the model failed on a batch of {tokens} tokens")]
    Model {
        /// Tokens of the flat batch.
        tokens: usize,
        /// Why.
        #[source]
        source: AnyError,
    },
    /// A model that returned another number of logits than it was asked for.
    #[error("the model returned {got} logits, not {rows} rows of {vocabulary}")]
    LogitsShape {
        /// Rows asked for.
        rows: usize,
        /// Number of ids that the model knows.
        vocabulary: usize,
        /// Values that came.
        got: usize,
    },
}
