use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with a hub. No text holds the token, or the query of an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// A text that names no model.
    #[error("`{name}` is no model of a hub, which are named hub:ORG/NAME@REVISION: {reason}")]
    Name {
        /// The text.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A model without a revision.
    #[error(
        "hub:{model} names no revision: a model may change under its name, so that a run with it could not be repeated; \
         name a commit, as the model's page lists them, or a branch such as `hub:{model}@main`, whose commit is then reported"
    )]
    NoRevision {
        /// The model.
        model: String,
    },
    /// An address that nothing is sent to.
    #[error("`{url}` cannot be the address of a hub: {reason}")]
    Endpoint {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A model that needs the network, which is not to be used.
    #[error("{model} is not in {cache}, and the network is not to be used{}", complete_of(.complete))]
    Offline {
        /// The model.
        model: String,
        /// The cache.
        cache: PathBuf,
        /// The commits of this model that are there.
        complete: Vec<String>,
    },
    /// A hub that wants to know who asks, or does not let them.
    #[error("{url}: status {status}: {reason}")]
    Refused {
        /// The address.
        url: String,
        /// 401 or 403.
        status: u16,
        /// The hub's words, and what may help.
        reason: String,
    },
    /// A model, revision or file that the hub does not have.
    #[error("{url}: status 404: {reason}")]
    NotFound {
        /// The address.
        url: String,
        /// The hub's words.
        reason: String,
    },
    /// A hub that does not answer, or is overloaded.
    #[error("{url}: no answer after {}: {reason}", attempts_of(*.attempts))]
    Unavailable {
        /// The address.
        url: String,
        /// How often it was asked.
        attempts: u32,
        /// The last reason.
        reason: String,
    },
    /// An answer that is none.
    #[error("{url}: {reason}")]
    Malformed {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A model without weights that can be read.
    #[error("{model} has no safetensors{}", found_of(.found))]
    NoWeights {
        /// The model, at its commit.
        model: String,
        /// The other weights that it has.
        found: Vec<String>,
    },
    /// A file that is not what the hub says it is.
    #[error("{file} of {model} should have the {kind} {expected}, and has {got}")]
    Digest {
        /// The model, at its commit.
        model: String,
        /// The file.
        file: String,
        /// Size, SHA-256 or git SHA-1.
        kind: &'static str,
        /// What the hub says.
        expected: String,
        /// What came.
        got: String,
    },
    /// A disk that is full.
    #[error(
        "there is no room for {file} in {path}: it needs {needed} more bytes; what has arrived is kept"
    )]
    NoRoom {
        /// The folder.
        path: PathBuf,
        /// The file.
        file: String,
        /// What was missing of it, in bytes.
        needed: u64,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// A file or folder that cannot be read or written.
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
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HubError {
    let path = path.to_owned();
    move |source| HubError::Io { action, path, source }
}

fn attempts_of(attempts: u32) -> String {
    if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") }
}

fn complete_of(complete: &[String]) -> String {
    match complete {
        [] => String::new(),
        commits => format!("; it is there at {}", commits.join(", ")),
    }
}

fn found_of(found: &[String]) -> String {
    match found {
        [] => String::new(),
        names => format!(", but {}, which are not fetched", names.join(", ")),
    }
}
