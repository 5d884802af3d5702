use backtest_engine::EngineError;
use thesis_core::CoreError;

/// What a study cannot do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A run that cannot be simulated.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An amount that is none.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Windows that do not fit into the sessions.
    #[error("{train} sessions of training and {test} of test do not fit into {sessions}")]
    WindowsTooLong {
        /// Sessions of training.
        train: usize,
        /// Sessions of test.
        test: usize,
        /// Sessions that there are.
        sessions: usize,
    },
    /// Windows in which nothing can be chosen or judged.
    #[error(
        "walk-forward needs at least 3 sessions to train and 1 to test, not {train} and {test}"
    )]
    WindowsTooShort {
        /// Sessions of training.
        train: usize,
        /// Sessions of test.
        test: usize,
    },
    /// No configuration to choose from.
    #[error("there is no configuration to choose from")]
    NoConfiguration,
}
