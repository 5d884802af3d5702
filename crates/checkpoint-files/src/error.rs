use std::io;
use std::path::{Path, PathBuf};

use crate::StoredDtype;

/// The most characters of a name or text that an error quotes.
const QUOTED: usize = 100;

/// The most tensors that an error lists.
const LISTED: usize = 50;

/// What can go wrong with a checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried: `open`, `map`, …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A folder without a checkpoint.
    #[error("{path} has neither model.safetensors nor model.safetensors.index.json{}", found_of(.found))]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
        /// Files in it that might be meant.
        found: Vec<String>,
    },
    /// A pickle: opening one may run any code that its author put there.
    #[error(
        "{path} is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox \
         (`from_pretrained(…)`, then `save_pretrained(…)`)"
    )]
    Pickle {
        /// The file.
        path: PathBuf,
    },
    /// A file of another kind.
    #[error("{path} is neither safetensors nor GGUF: {reason}")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        reason: String,
    },
    /// A file that ends too early, or a count that exceeds it.
    #[error("{path}: {what} needs {needed} bytes, and {left} are left")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Of what there is too little.
        what: String,
        /// Bytes that it takes.
        needed: u64,
        /// Bytes that are there.
        left: u64,
    },
    /// A header that the format does not allow.
    #[error("the header of {path} is wrong: {reason}")]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A header or index that is not the JSON it should be.
    #[error("{path}: its JSON is wrong")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A tensor whose entry cannot be true.
    #[error("tensor `{tensor}` in {path}: {reason}")]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// Types of values that cannot be read.
    #[error("{path} has tensors of types that cannot be read: {}; these can: {supported}", listed(.types))]
    UnsupportedTypes {
        /// The file.
        path: PathBuf,
        /// The types, each with how many tensors have it and which is the first.
        types: Vec<String>,
        /// What can be read.
        supported: String,
    },
    /// A name in an index that is no plain file name.
    #[error("{index} names the shard {shard}, which is no file name")]
    ShardName {
        /// The index.
        index: PathBuf,
        /// The name, quoted.
        shard: String,
    },
    /// Files that an index names and that are not there.
    #[error("{index} names shards that are not there: {}", .missing.join(", "))]
    MissingShards {
        /// The index.
        index: PathBuf,
        /// Their names.
        missing: Vec<String>,
    },
    /// An index that its shards contradict.
    #[error("{index} and its shards disagree: {}", listed(.differences))]
    IndexDisagrees {
        /// The index.
        index: PathBuf,
        /// In what.
        differences: Vec<String>,
    },
    /// A tensor in two shards.
    #[error("tensor `{tensor}` is both in {first} and in {second}")]
    InTwoShards {
        /// The tensor.
        tensor: String,
        /// One shard.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A tensor that is asked for and not there.
    #[error("{path} has no tensor `{tensor}`")]
    NoTensor {
        /// The checkpoint.
        path: PathBuf,
        /// The name.
        tensor: String,
    },
    /// A tensor that has no exact or customary conversion to f32.
    #[error("tensor `{tensor}` in {path} holds {dtype}, which is not converted to f32")]
    NotFloat {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What it holds.
        dtype: StoredDtype,
    },
    /// Rows that a tensor does not have, or that end within a block.
    #[error(
        "tensor `{tensor}` in {path} of shape {shape:?} and type {dtype} has no rows {start}..{end} of their own"
    )]
    Rows {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its type.
        dtype: StoredDtype,
        /// First row.
        start: usize,
        /// The row after the last one.
        end: usize,
    },
    /// A tensor that cannot be written, or whose maker gave up.
    #[error("cannot write tensor `{tensor}` to {path}")]
    WriteTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A folder that already holds weights beside those that are to be written.
    #[error("{path} holds other weights, which readers would mix up with these: {}", listed(.others))]
    OtherWeights {
        /// The folder.
        path: PathBuf,
        /// The files.
        others: Vec<String>,
    },
    /// A metadata key that is asked for and not there.
    #[error("{path} has no metadata key `{key}`")]
    NoMetadata {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A metadata value of another type.
    #[error("metadata key `{key}` of {path} should be {expected}, and is {got}")]
    MetadataType {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What was asked for.
        expected: &'static str,
        /// What is there.
        got: String,
    },
}

impl CheckpointError {
    pub(crate) fn header(path: &Path, reason: String) -> Self {
        Self::Header { path: path.to_owned(), reason }
    }

    pub(crate) fn tensor(path: &Path, name: &str, reason: String) -> Self {
        Self::Tensor { path: path.to_owned(), tensor: shortened(name), reason }
    }
}

pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_owned();
    move |source| CheckpointError::Io { action, path, source }
}

/// A text of a file in backticks: on one line, without control characters, and not too long.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shortened(text))
}

pub(crate) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED).is_some() {
        short.push('…');
    }
    short
}

fn listed(items: &[String]) -> String {
    let mut text = items.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > LISTED {
        text += &format!(" and {} more", items.len() - LISTED);
    }
    text
}

fn found_of(found: &[String]) -> String {
    if found.is_empty() { String::new() } else { format!("; it has {}", listed(found)) }
}
