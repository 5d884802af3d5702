use std::io;
use std::path::PathBuf;

use checkpoint_files::CheckpointError;

use crate::LoadError;

/// What can go wrong while an adapter is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    /// A file that cannot be written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file of tensors that cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An adapter that has become useless; nothing of it is written.
    #[error("tensor `{tensor}` of the adapter for {path} has {value} at {index}: it is not saved")]
    NotFinite {
        /// Where it would have been written.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The first value that is not finite.
        value: f32,
        /// Where it is, in row-major order.
        index: usize,
    },
    /// A tensor that PEFT would not find, or not in this shape; nothing is written.
    #[error("tensor `{tensor}` of the adapter for {path}: {reason}")]
    Tensor {
        /// Where it would have been written.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// A setting that no adapter can have.
    #[error("an adapter with `{key}` of {got}; it should be {expected}")]
    Setting {
        /// The setting, as PEFT calls it.
        key: &'static str,
        /// Its value.
        got: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A target that is no projection of the model.
    #[error("the model has no projection `{name}`; its projections are {known}")]
    NoTarget {
        /// The target.
        name: String,
        /// All of the model's.
        known: String,
    },
    /// A model or adapter that cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An adapter that another format has no room for.
    #[error(
        "the adapter in {path} has {what}, which a GGUF adapter cannot express; merge it instead"
    )]
    NotInGguf {
        /// The adapter's folder.
        path: PathBuf,
        /// What it has.
        what: &'static str,
    },
}
