use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use checkpoint_files::CheckpointError;
use hf_dataset::HfDatasetError;
use thesis_core::CoreError;

/// What can go wrong between records and token shards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizeError {
    /// A file could not be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A model folder without a tokenizer that this program can read.
    #[error(
        "{folder} has no tokenizer.json; a tokenizer that has only a tokenizer.model or a \
         vocab.json is turned into one by transformers' `AutoTokenizer.from_pretrained(FOLDER)\
         .save_pretrained(FOLDER)`"
    )]
    MissingTokenizer {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the model folder that is no JSON, or not of the form that it should have.
    #[error("{path} is damaged")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A `tokenizer.json` that the tokenizer library refuses.
    #[error("{path} is no tokenizer")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A token whose id is not the one that the file promises, or belongs to another one already.
    #[error(
        "token `{token}` would get the id {got} instead of {expected}: the tokenizer's ids have \
         holes or its files contradict each other"
    )]
    TokenId {
        /// The token.
        token: String,
        /// The id it should have.
        expected: u32,
        /// The id it would get.
        got: u32,
    },
    /// A GGUF file that is damaged or has no tokenizer.
    #[error("no tokenizer can be read from the GGUF file")]
    Gguf {
        /// The file, and what is wrong with it.
        #[source]
        source: Box<CheckpointError>,
    },
    /// A GGUF file whose tokenizer is of a kind that this program does not know.
    #[error("{path} has a tokenizer of the kind `{model}`; known are {}", known.join(", "))]
    GgufModel {
        /// The file.
        path: PathBuf,
        /// Its `tokenizer.ggml.model`.
        model: String,
        /// The kinds that are known.
        known: &'static [&'static str],
    },
    /// A GGUF file whose way to cut a text into words is not known.
    #[error(
        "{path}: tokenizer.ggml.pre is `{name}`, and how that cuts a text into words is not known; \
         known are {}",
        known.join(", ")
    )]
    GgufPreTokenizer {
        /// The file.
        path: PathBuf,
        /// Its `tokenizer.ggml.pre`, empty where it has none.
        name: String,
        /// The names that are known.
        known: Vec<&'static str>,
    },
    /// Metadata of a GGUF file that makes no tokenizer.
    #[error("{path}: tokenizer.ggml.{key} {reason}")]
    GgufVocabulary {
        /// The file.
        path: PathBuf,
        /// The part of the metadata.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A tokenizer whose way to turn tokens into text is not known.
    #[error(
        "the tokenizer's decoder has a step `{step}`, for which the bytes of its tokens are not known"
    )]
    DecoderStep {
        /// The type of the step.
        step: String,
    },
    /// A stop string without a character, which would stop everything.
    #[error("a stop string is empty")]
    EmptyStopString,
    /// A list of named chat templates without the one that is used.
    #[error("{path} has no chat template called `default`; it has {}", known.join(", "))]
    NoDefaultTemplate {
        /// The tokenizer's configuration.
        path: PathBuf,
        /// The names that are there.
        known: Vec<String>,
    },
    /// A chat template that is no Jinja.
    #[error("the chat template does not compile")]
    TemplateSyntax {
        /// Why not, with the line.
        #[source]
        source: minijinja::Error,
    },
    /// A chat template that fails on the conversation of a record.
    #[error("the chat template refuses a conversation of {roles}")]
    TemplateRender {
        /// The roles, in order.
        roles: String,
        /// Why, in the template's own words where it has any.
        #[source]
        source: minijinja::Error,
    },
    /// A chat template that leaves out what the user says.
    #[error("the chat template leaves out the text of the {role} message")]
    TemplateDropsText {
        /// `user` or `assistant`.
        role: &'static str,
    },
    /// Neither the template nor the tokenizer's files say which token ends an answer.
    #[error(
        "no token is known to end an answer: the chat template writes none after the assistant's \
         text, and there is no tokenizer_config.json with an eos_token"
    )]
    NoEndToken,
    /// The token that should end an answer is not a single token of the vocabulary.
    #[error("the end token `{token}` is not in the tokenizer's vocabulary")]
    UnknownEndToken {
        /// The token.
        token: String,
    },
    /// The tokenizer library failed on a text.
    #[error("the tokenizer failed")]
    Encode {
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A record whose output does not follow the tag grammar, so that its structure tokens cannot
    /// be placed.
    #[error("the output cannot be written with structure tokens")]
    Output {
        /// Why not.
        #[source]
        source: CoreError,
    },
    /// A record with nothing to learn.
    #[error("the output is empty, so there is no target to learn")]
    NoTarget,
    /// A fault of one record.
    #[error("record `{uid}`")]
    Record {
        /// The record.
        uid: String,
        /// What is wrong with it.
        #[source]
        source: Box<TokenizeError>,
    },
    /// A sequence length that cannot hold a prompt and a target.
    #[error("a max length of {max_length} tokens is out of range: it is at least 2")]
    MaxLength {
        /// The length as given.
        max_length: usize,
    },
    /// Rows could not be put into Arrow columns.
    #[error("cannot put the rows of split `{split}` into columns")]
    Columns {
        /// The split.
        split: String,
        /// Why not.
        #[source]
        source: ArrowError,
    },
    /// A data set could not be written.
    #[error(transparent)]
    Dataset(#[from] HfDatasetError),
}

impl TokenizeError {
    /// This error as a fault of the record `uid`.
    #[must_use]
    pub fn of_record(self, uid: &str) -> Self {
        Self::Record { uid: uid.to_owned(), source: Box::new(self) }
    }
}

pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> TokenizeError {
    let path = path.to_owned();
    move |source| TokenizeError::Io { action, path, source }
}
