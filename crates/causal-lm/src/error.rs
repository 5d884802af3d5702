use std::io;
use std::path::PathBuf;

use checkpoint_files::CheckpointError;
use cpu_kernels::WeightError;

/// What can go wrong while a model is loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file that cannot be read or written.
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
    /// A file that is not the JSON object it should be.
    #[error("{path} is not a JSON object")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A checkpoint that cannot be read.
    #[error("the checkpoint cannot be read")]
    Checkpoint(#[from] CheckpointError),
    /// A key that a configuration must have.
    #[error("{path} has no `{key}`")]
    ConfigMissing {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// A value of the wrong kind.
    #[error("`{key}` in {path} should be {expected}, and is {got}")]
    ConfigValue {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// A value that means something this crate does not do.
    #[error("`{key}` in {path} is {got}; supported: {supported}")]
    ConfigUnsupported {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What it is.
        got: String,
        /// What it may be.
        supported: String,
    },
    /// Values that contradict one another.
    #[error("the configuration in {path} cannot be: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A model of a family that is not there.
    #[error("{path} is of the family `{family}`; supported: {}", crate::supported_families().collect::<Vec<_>>().join(", "))]
    UnsupportedFamily {
        /// The file.
        path: PathBuf,
        /// Its family.
        family: String,
    },
    /// Tensors that do not fit the configuration.
    #[error(
        "the tensors in {path} do not fit the configuration{}",
        faults(missing, misshapen, surplus)
    )]
    Tensors {
        /// The checkpoint.
        path: PathBuf,
        /// Names that should be there.
        missing: Vec<String>,
        /// Names with the shape they have and the one they should have, and what else is wrong with them.
        misshapen: Vec<String>,
        /// Names that nothing asks for.
        surplus: Vec<String>,
    },
    /// A tensor whose values cannot be used.
    #[error("tensor `{tensor}` in {path}")]
    Weight {
        /// The checkpoint.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong.
        #[source]
        source: WeightError,
    },
    /// A tensor whose values cannot be used.
    #[error("tensor `{tensor}` in {path}: {reason}")]
    Tensor {
        /// The checkpoint.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// A tokenizer that knows more tokens than the model.
    #[error("{path} has tokens up to id {highest}, and the model has only {vocab_size} tokens")]
    TokenizerTooLarge {
        /// The tokenizer's file.
        path: PathBuf,
        /// Its highest id.
        highest: u64,
        /// Rows of the embedding.
        vocab_size: usize,
    },
    /// A model that is quantized already, in another way than asked for.
    #[error("{path} is quantized to {stored} already, and cannot be quantized to {asked}")]
    QuantizedOtherwise {
        /// The checkpoint.
        path: PathBuf,
        /// How it is stored.
        stored: &'static str,
        /// What was asked for.
        asked: &'static str,
    },
    /// A folder that a model must not be written to.
    #[error("{path} is what is read: the model must be written somewhere else")]
    SameFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A setting of an adapter that is not supported.
    #[error("`{key}` in {path} is {got}, which is not supported")]
    AdapterSetting {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: String,
        /// Its value.
        got: String,
    },
    /// A token behind the embedding's last that cannot have a row.
    #[error("{path}: token {token} is beyond the embedding of {vocab_size} rows, and {reason}")]
    NewToken {
        /// The adapter's settings, or the model.
        path: PathBuf,
        /// The token.
        token: usize,
        /// Rows of the embedding.
        vocab_size: usize,
        /// Why it cannot.
        reason: &'static str,
    },
    /// An adapter whose tensors do not fit the model and its own settings.
    #[error("the adapter in {path} does not fit the model{}", faults(missing, misshapen, surplus))]
    Adapter {
        /// The adapter's folder.
        path: PathBuf,
        /// Tensors that its settings ask for.
        missing: Vec<String>,
        /// Tensors of the wrong shape.
        misshapen: Vec<String>,
        /// Tensors that match nothing in the model.
        surplus: Vec<String>,
    },
}

/// What can be wrong with a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The device gave up on the batch: as a rule, it has no more memory.
    #[error("the device failed: {reason}")]
    Device {
        /// What it says.
        reason: String,
    },
    /// A batch or span without tokens.
    #[error("the batch has no tokens, or a span without tokens")]
    Empty,
    /// Spans that leave gaps or overlap, or end before or after the tokens.
    #[error("span {span} starts at {start}, and should start at {expected} of {tokens} tokens")]
    Spans {
        /// Which span, from 0.
        span: usize,
        /// Where it starts.
        start: usize,
        /// Where the span before it ends; the number of tokens for the end of the last one.
        expected: usize,
        /// Tokens of the batch.
        tokens: usize,
    },
    /// A target beside the batch or the vocabulary.
    #[error(
        "target {index} is token {id} at row {row}; there are {rows} rows, and a vocabulary of {vocab_size}"
    )]
    Target {
        /// Which target, from 0.
        index: usize,
        /// Its row.
        row: usize,
        /// Tokens of the batch.
        rows: usize,
        /// Its token.
        id: u32,
        /// Rows of the embedding.
        vocab_size: usize,
    },
    /// A token that the model does not know.
    #[error("token id {id} at {index} is not below the vocabulary size {vocab_size}")]
    TokenId {
        /// The id.
        id: u32,
        /// Where in the batch.
        index: usize,
        /// Rows of the embedding.
        vocab_size: usize,
    },
    /// A span that continues a sequence, without a cache that has its beginning.
    #[error("span {span} starts at position {position} without a cache")]
    NoCache {
        /// Which span, from 0.
        span: usize,
        /// Its position.
        position: usize,
    },
    /// A slot that the cache does not have.
    #[error("slot {slot} of a cache of {slots}")]
    Slot {
        /// The slot.
        slot: usize,
        /// How many there are.
        slots: usize,
    },
    /// Two spans of one slot in a batch.
    #[error("two spans of slot {slot} in a batch")]
    SlotTwice {
        /// The slot.
        slot: usize,
    },
    /// A position after a gap: tokens before it are not in the cache.
    #[error("position {position} in slot {slot}, which has {len} tokens")]
    Gap {
        /// The slot.
        slot: usize,
        /// The position.
        position: usize,
        /// Tokens in the slot.
        len: usize,
    },
    /// A sequence that outgrows the cache.
    #[error("a sequence of {len} tokens in slot {slot}, which has room for {capacity}")]
    Capacity {
        /// The slot.
        slot: usize,
        /// Tokens that the sequence would have.
        len: usize,
        /// Tokens that it may have.
        capacity: usize,
    },
    /// A cache of another model.
    #[error("a cache of {cache} layers for a model of {model}")]
    CacheLayers {
        /// Layers of the cache.
        cache: usize,
        /// Layers of the model.
        model: usize,
    },
}

/// How many names of each kind an error lists.
const LISTED: usize = 20;

fn faults(missing: &[String], misshapen: &[String], surplus: &[String]) -> String {
    [("missing", missing), ("wrong", misshapen), ("not expected", surplus)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("; {what}: {}", listed(names)))
        .collect()
}

fn listed(names: &[String]) -> String {
    let more = match names.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    names[..names.len().min(LISTED)].join(", ") + &more
}
