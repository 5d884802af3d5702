use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong around a run's files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A file or folder could not be read, written, locked or moved.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried: `read`, `create`, …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A manifest that is no manifest.
    #[error("{path} is no manifest")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A configuration that cannot be written as JSON.
    #[error("the configuration of stage `{stage}` cannot be written as JSON")]
    Config {
        /// The stage.
        stage: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// An output folder that holds something other than this stage's earlier output.
    #[error("{path} exists and was not written by stage `{stage}`")]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// The stage that wants to write there.
        stage: String,
    },
}

pub(crate) fn io_error(
    action: &'static str,
    path: impl AsRef<Path>,
) -> impl FnOnce(io::Error) -> ManifestError {
    let path = path.as_ref().to_owned();
    move |source| ManifestError::Io { action, path, source }
}
