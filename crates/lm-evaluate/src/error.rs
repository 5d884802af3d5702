use causal_lm::BatchError;
use causal_lm::generate::GenerateError;
use thesis_core::Action;
use token_grammar::GrammarError;
use tokenize::TokenizeError;

/// What can go wrong between a prompt and its figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LmEvaluateError {
    /// An answer could not be generated.
    #[error("row {row} of the group was not answered")]
    Answer {
        /// The row.
        row: usize,
        /// Why.
        #[source]
        source: GenerateError,
    },
    /// The group could not be run.
    #[error("a group of {rows} rows was not answered")]
    Group {
        /// Rows of the group.
        rows: usize,
        /// Why.
        #[source]
        source: GenerateError,
    },
    /// The model refused ids.
    #[error("the model cannot be given these tokens")]
    Batch {
        /// Why.
        #[from]
        source: BatchError,
    },
    /// A text could not be turned into tokens.
    #[error("a text cannot be tokenized")]
    Tokenize {
        /// Why.
        #[from]
        source: TokenizeError,
    },
    /// An action that the tokenizer cannot tell from the others.
    #[error("the tokenizer has no tokens of its own for {action}")]
    NoActionTokens {
        /// The action.
        action: Action,
    },
    /// A sequence that nothing can be said about.
    #[error("a sequence of {tokens} tokens has none to be predicted from {from} on")]
    NoTarget {
        /// Tokens of the sequence.
        tokens: usize,
        /// The first token that was to be predicted.
        from: usize,
    },
    /// A probability that is no number.
    #[error("the log-probability of token {id} after {position} others is {value}")]
    NotFinite {
        /// The token.
        id: u32,
        /// Tokens before it.
        position: usize,
        /// What came out.
        value: f32,
    },
    /// A grammar that the tokens cannot follow.
    #[error("the tokens cannot follow the grammar of a thesis")]
    Grammar {
        /// Why.
        #[source]
        source: GrammarError,
    },
    /// A tensor that could not be read back.
    #[error("values of a tensor cannot be read: {reason}")]
    Tensor {
        /// Why.
        reason: String,
    },
}
