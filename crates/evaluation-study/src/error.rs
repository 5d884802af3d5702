use eval_metrics::MetricError;
use thiserror::Error;

/// Why rows cannot be judged.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// There is nothing to judge.
    #[error("there is no row to judge")]
    NoRows,
    /// A setting outside of its range.
    #[error("`{name}` must be {range}")]
    Setting {
        /// Its key.
        name: &'static str,
        /// What may be given.
        range: &'static str,
    },
    /// A row has not one forward return a window.
    #[error("row `{uid}` has {got} forward returns, and there are {windows} windows")]
    Windows {
        /// The row.
        uid: String,
        /// How many windows there are.
        windows: usize,
        /// How many returns it has.
        got: usize,
    },
    /// Some rows have an answer of the base model and others have none.
    #[error("row `{uid}` has no answer of the base model, and others have")]
    Base {
        /// A row without.
        uid: String,
    },
    /// A number of a row that is none.
    #[error("row `{uid}`: {what} is {value}")]
    NotFinite {
        /// The row.
        uid: String,
        /// What it is.
        what: &'static str,
        /// What was given.
        value: f64,
    },
    /// A metric that has no value for these rows, where it ought to have one.
    #[error("cannot compute {what}")]
    Metric {
        /// What was computed.
        what: &'static str,
        /// Why not.
        #[source]
        source: MetricError,
    },
}
