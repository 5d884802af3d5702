/// What can be wrong with what an estimate is asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// An adapter for a projection that the model does not have.
    #[error("the model has no projection `{target}`; it has {}", known.join(", "))]
    UnknownTarget {
        /// The projection.
        target: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// Numbers so large that bytes cannot be counted.
    #[error("{what} needs more bytes than can be counted")]
    TooLarge {
        /// The item.
        what: &'static str,
    },
}
