use thiserror::Error;

/// Why a metric has no value.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum MetricError {
    /// Two inputs that belong together differ in length.
    #[error("the inputs have {left} and {right} values, and must have as many")]
    Lengths {
        /// Values of the first input.
        left: usize,
        /// Values of the second input.
        right: usize,
    },
    /// Too few values.
    #[error("{got} values, of at least {needed} that are needed")]
    TooFew {
        /// The least number.
        needed: usize,
        /// The number given.
        got: usize,
    },
    /// A value that is NaN or infinite.
    #[error("value {index} is not finite")]
    NotFinite {
        /// Its index, from 0.
        index: usize,
    },
    /// A value or a parameter outside of its range.
    #[error("{name} is {value}, outside of its range: {range}")]
    OutOfRange {
        /// What it is.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What may be given.
        range: &'static str,
    },
    /// The formula divides by zero or has no meaning for this input.
    #[error("undefined: {reason}")]
    Undefined {
        /// Why.
        reason: &'static str,
    },
}
