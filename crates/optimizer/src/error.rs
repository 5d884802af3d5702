/// What can be wrong with settings, lengths, or a state that comes from a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerError {
    /// A setting outside of its range.
    #[error("`{name}` is {value}, but must be {expected}")]
    Setting {
        /// Its key.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// A slice or buffer of the wrong length.
    #[error("`{name}` has {got} values, but the optimizer expects {expected}")]
    Length {
        /// `parameters`, `gradient`, or the name of a buffer.
        name: String,
        /// Values expected.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// A buffer of another type than the optimizer's.
    #[error("buffer `{name}` of the optimizer state is {got}, but must be {expected}")]
    Dtype {
        /// Name of the buffer.
        name: String,
        /// Type expected.
        expected: &'static str,
        /// Type given.
        got: &'static str,
    },
    /// A buffer that the state lacks.
    #[error("the optimizer state has no buffer `{name}`: it was saved with another state dtype")]
    MissingBuffer {
        /// Name of the buffer.
        name: &'static str,
    },
    /// A buffer that this kind of state does not have, or that comes twice.
    #[error("the optimizer state has a buffer `{name}` too many")]
    ExtraBuffer {
        /// Name of the buffer.
        name: String,
    },
}
