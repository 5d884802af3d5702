use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use run_manifest::ManifestError;

/// What can go wrong with checkpoints of a training run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file or folder that cannot be read, written or moved.
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
    /// A checkpoint that cannot be staged or brought to its name; an earlier one is as it was.
    #[error("the checkpoint {path} cannot be written")]
    Write {
        /// Its final name.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ManifestError,
    },
    /// A checkpoint whose files could not be made; an earlier one is as it was.
    #[error("the files of the checkpoint {path} cannot be written")]
    Content {
        /// Its final name.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A folder without a manifest.
    #[error("{path} has no manifest.json: it was not finished")]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// A manifest that cannot be read.
    #[error("the manifest of {path} cannot be read")]
    Manifest {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ManifestError,
    },
    /// A manifest that does not list the state of the run.
    #[error("the manifest of {path} does not list state.json")]
    NoState {
        /// The folder.
        path: PathBuf,
    },
    /// A manifest that lists something outside of its folder.
    #[error("the manifest of {path} lists `{listed}`, which is no file inside of it")]
    Outside {
        /// The folder.
        path: PathBuf,
        /// What it lists.
        listed: String,
    },
    /// A file that the manifest lists and that cannot be read.
    #[error("{path} is listed in the manifest and cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ManifestError,
    },
    /// A file that is not as it was written.
    #[error(
        "{path} is not as it was written: {bytes} bytes with {digest}, and the manifest lists {listed_bytes} with {listed_digest}"
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// Its digest.
        digest: String,
        /// The size that it had.
        listed_bytes: u64,
        /// The digest that it had.
        listed_digest: String,
    },
    /// A folder whose name says another step than its state.
    #[error("{path} holds step {step}")]
    OtherStep {
        /// The folder.
        path: PathBuf,
        /// The step of its state.
        step: u64,
    },
    /// A state that cannot be read.
    #[error("{path} is no state of a training run")]
    State {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A state of another version of this program.
    #[error("{path} has format {format}, and {known} is the one that is known")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u64,
        /// The format that is known.
        known: u64,
    },
    /// A tensor that a checkpoint must not hold.
    #[error("tensor `{tensor}` for {path} has {value} at {index}: it is not saved")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The first such value.
        value: f32,
        /// Where it is.
        index: usize,
    },
    /// A tensor of a type that is not saved here.
    #[error("tensor `{tensor}` in {path} holds {dtype}; F32 and U8 can be read")]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its type.
        dtype: &'static str,
    },
    /// A file of tensors that cannot be read or written.
    #[error(transparent)]
    Tensors(#[from] checkpoint_files::CheckpointError),
}

pub(super) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_owned();
    move |source| CheckpointError::Io { action, path, source }
}
