use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried: `create`, `write`, …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A line in the middle of a log that no run of ours wrote.
    #[error("{path}:{line}: {reason}; a log with damage in its middle is not continued")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A row that cannot be written as JSON.
    #[error("cannot write a row to {path} as JSON")]
    Row {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A scalar by the name of the step.
    #[error("a row has its `step` anyway: no scalar or text can have that name")]
    ReservedName,
    /// A setting of a server that cannot be used.
    #[cfg(feature = "mlflow")]
    #[error("{name}: {reason}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong; secrets are not quoted.
        reason: String,
    },
    /// A server that gave no answer.
    #[cfg(feature = "mlflow")]
    #[error("no answer from {url}")]
    Unreachable {
        /// The address asked.
        url: String,
        /// Why not.
        #[source]
        source: Box<ureq::Error>,
    },
    /// A server that said no.
    #[cfg(feature = "mlflow")]
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// The address asked.
        url: String,
        /// Status of HTTP.
        status: u16,
        /// What it said.
        message: String,
    },
    /// An answer that lacks what was asked for.
    #[cfg(feature = "mlflow")]
    #[error("{url} answered without `{field}`: is it an MLflow tracking server?")]
    Answer {
        /// The address asked.
        url: String,
        /// What is missing.
        field: &'static str,
    },
    /// Data that a server did not take.
    #[cfg(feature = "mlflow")]
    #[error("MLflow: {waiting} entries wait for the next try, {dropped} are lost for good")]
    Unsent {
        /// Metrics and parameters that are kept and sent later.
        waiting: usize,
        /// Those that the server refused, and those for which there was no room.
        dropped: usize,
        /// Why.
        #[source]
        source: Box<LogError>,
    },
}

impl LogError {
    /// Whether a server is at fault: the files are as they should be, and the run can go on.
    pub fn is_remote(&self) -> bool {
        match self {
            Self::Io { .. } | Self::Damaged { .. } | Self::Row { .. } | Self::ReservedName => false,
            #[cfg(feature = "mlflow")]
            Self::Setting { .. } => false,
            #[cfg(feature = "mlflow")]
            Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Unsent { .. } => true,
        }
    }
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Io { action, path, source }
}
