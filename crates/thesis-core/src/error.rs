/// What a value of this crate can be refused for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// A ticker that is empty, too long, or has characters that no exchange uses.
    #[error("`{text}` is not a ticker: {reason}")]
    Ticker {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A rating that no known spelling matches.
    #[error(
        "unknown action `{text}` (known: STRONG_BUY, BUY, HOLD, SELL, STRONG_SELL and their usual \
         spellings, such as overweight, neutral, reduce)"
    )]
    Action {
        /// The text as given.
        text: String,
    },
    /// A date that no known spelling matches, or that is in no calendar.
    #[error("`{text}` is not a date: {reason}")]
    Date {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A completion that does not follow the tag grammar.
    #[error("completion does not follow the tag grammar: {reason}")]
    Completion {
        /// What is wrong with it.
        reason: String,
    },
    /// Five probabilities that are no distribution.
    #[error("action probabilities {values:?} are no distribution: {reason}")]
    Probabilities {
        /// The values as given, in the order of [`Action::ALL`](crate::Action::ALL).
        values: [f64; 5],
        /// What is wrong with them.
        reason: &'static str,
    },
    /// An amount outside of its unit's range.
    #[error("{value} is no {unit}: {reason}")]
    Unit {
        /// The unit's name.
        unit: &'static str,
        /// The value as given.
        value: f64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A record template that cannot be read.
    #[error("record template `{template}`, line {line}: {reason}")]
    Template {
        /// `instruction`, `input` or `indicator`.
        template: String,
        /// Line in the template, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}
