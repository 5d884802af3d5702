use std::path::PathBuf;

use causal_lm::BatchError;
use collective::CollectiveError;
use optimizer::OptimizerError;

use crate::checkpoint::CheckpointError;
use crate::data::DataError;

/// Why a run ends before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Nothing of the model is trained.
    #[error("the model has no adapter and no trained weights")]
    NothingToTrain,
    /// A batch has no target tokens.
    #[error("step {step} has no target tokens: its loss would be a mean of nothing")]
    NoTargets {
        /// The step, from 1.
        step: u64,
    },
    /// Losses or gradients that are not finite, step after step.
    #[error(
        "{in_a_row} steps in a row have a loss or gradient that is not finite, the last of them step {step} (loss {loss}, gradient norm {grad_norm})"
    )]
    NotFinite {
        /// The last step, from 1.
        step: u64,
        /// How many.
        in_a_row: u64,
        /// The loss of the last.
        loss: f64,
        /// The norm of its gradient.
        grad_norm: f64,
        /// The last checkpoint, which is good.
        checkpoint: Option<PathBuf>,
    },
    /// A checkpoint that was made with another number of processes.
    #[error("{path} is of a run with {saved} processes, and this one has {now}")]
    WorldSize {
        /// The checkpoint.
        path: PathBuf,
        /// Its processes.
        saved: u64,
        /// The processes now.
        now: u64,
    },
    /// A checkpoint that was made with other settings or data.
    #[error("{path} is of a run with another {what}")]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A checkpoint whose tensors are not those of the model.
    #[error("{path} does not fit the model: {reason}")]
    Misfit {
        /// The checkpoint.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// Another process is gone.
    #[error("another process of the run is lost")]
    Peer {
        /// How.
        #[source]
        source: CollectiveError,
        /// The checkpoint to go on from.
        checkpoint: Option<PathBuf>,
    },
    /// The device failed in the middle of a step: as a rule, it has no more memory.
    #[error("a step was too much for the device")]
    Device {
        /// What it says.
        #[source]
        source: BatchError,
        /// The checkpoint to go on from.
        checkpoint: Option<PathBuf>,
    },
    /// The batch does not fit the model.
    #[error("a batch does not fit the model")]
    Batch(#[from] BatchError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The optimizer.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Sample answers.
    #[error("sample answers failed")]
    Sample(#[source] Box<dyn std::error::Error + Send + Sync>),
}
