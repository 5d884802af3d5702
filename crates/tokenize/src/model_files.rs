use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use checkpoint_files::Checkpoint;
use serde_json::{Map, Value};

use crate::error::io_error;
use crate::{GgufVocabulary, TokenizeError};

const TOKENIZER: &str = "tokenizer.json";
const CONFIG: &str = "tokenizer_config.json";
const TEMPLATE: &str = "chat_template.jinja";
const SPECIAL_TOKENS: &str = "special_tokens_map.json";
const GENERATION: &str = "generation_config.json";

/// The files of a model that say how it reads and writes text: those of its folder, or what its GGUF file holds.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    /// Where `tokenizer.json` lies, or the GGUF file.
    pub path: PathBuf,
    /// The text of `tokenizer.json`.
    pub tokenizer: String,
    /// `tokenizer_config.json`, where there is one.
    pub config: Option<Map<String, Value>>,
    /// The Jinja source of the chat template, where there is one.
    pub chat_template: Option<String>,
    /// `special_tokens_map.json`, where there is one.
    pub special_tokens: Option<Map<String, Value>>,
    /// `generation_config.json`, where there is one.
    pub generation: Option<Map<String, Value>>,
    /// What was read, to be listed in a manifest.
    pub read: Vec<PathBuf>,
}

impl ModelFiles {
    /// Reads a model folder, a GGUF file, or a bare `tokenizer.json` without the files beside it. A file is told by
    /// what it holds, whatever its name.
    ///
    /// The template is that of `chat_template.jinja`, else the one inside `tokenizer_config.json`;
    /// of a list of named ones, `default`.
    ///
    /// # Errors
    /// [`TokenizeError::MissingTokenizer`], [`TokenizeError::Io`], [`TokenizeError::Json`] and
    /// [`TokenizeError::NoDefaultTemplate`] for files that are missing or damaged; of GGUF files,
    /// [`TokenizeError::Gguf`] and what [`ModelFiles::from_gguf`] refuses.
    pub fn read(path: &Path) -> Result<Self, TokenizeError> {
        if !path.is_dir() {
            if is_gguf(path)? {
                return read_gguf(path);
            }
            let tokenizer = fs::read_to_string(path).map_err(io_error("read", path))?;
            return Ok(Self {
                path: path.to_owned(),
                tokenizer,
                config: None,
                chat_template: None,
                special_tokens: None,
                generation: None,
                read: vec![path.to_owned()],
            });
        }
        let mut read = Vec::new();
        let mut text = |name: &str| optional_text(&path.join(name), &mut read);
        let missing = || TokenizeError::MissingTokenizer { folder: path.to_owned() };
        let tokenizer = text(TOKENIZER)?.ok_or_else(missing)?;
        let config = object(&path.join(CONFIG), text(CONFIG)?)?;
        let chat_template = match text(TEMPLATE)? {
            Some(template) => Some(template),
            None => template_of(&path.join(CONFIG), config.as_ref())?,
        };
        let special_tokens = object(&path.join(SPECIAL_TOKENS), text(SPECIAL_TOKENS)?)?;
        let generation = object(&path.join(GENERATION), text(GENERATION)?)?;
        let path = path.join(TOKENIZER);
        Ok(Self { path, tokenizer, config, chat_template, special_tokens, generation, read })
    }

    /// The text of a token that the files name, such as `eos_token`.
    pub fn named_token(&self, key: &str) -> Option<&str> {
        named(self.config.as_ref(), key).or_else(|| named(self.special_tokens.as_ref(), key))
    }

    /// The ids at which generation stops, as `generation_config.json` lists them.
    pub fn stop_ids(&self) -> Vec<u32> {
        let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
        match self.generation.as_ref().and_then(|map| map.get("eos_token_id")) {
            Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
            Some(value) => id(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// Whether a file begins as GGUF files do.
fn is_gguf(path: &Path) -> Result<bool, TokenizeError> {
    let mut first = Vec::new();
    let file = File::open(path).map_err(io_error("read", path))?;
    file.take(4).read_to_end(&mut first).map_err(io_error("read", path))?;
    Ok(first == b"GGUF")
}

fn read_gguf(path: &Path) -> Result<ModelFiles, TokenizeError> {
    let vocabulary =
        Checkpoint::open(path).and_then(|file| GgufVocabulary::from_metadata(file.metadata()));
    let vocabulary =
        vocabulary.map_err(|source| TokenizeError::Gguf { source: Box::new(source) })?;
    ModelFiles::from_gguf(path, &vocabulary)
}

fn named<'a>(map: Option<&'a Map<String, Value>>, key: &str) -> Option<&'a str> {
    let value = map?.get(key)?;
    value.as_str().or_else(|| value.get("content")?.as_str())
}

fn optional_text(path: &Path, read: &mut Vec<PathBuf>) -> Result<Option<String>, TokenizeError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            read.push(path.to_owned());
            Ok(Some(text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", path)(error)),
    }
}

fn object(path: &Path, text: Option<String>) -> Result<Option<Map<String, Value>>, TokenizeError> {
    let parse = |text: String| serde_json::from_str(&text);
    text.map(parse)
        .transpose()
        .map_err(|source| TokenizeError::Json { path: path.to_owned(), source })
}

/// The template inside of a tokenizer's configuration.
fn template_of(
    path: &Path,
    config: Option<&Map<String, Value>>,
) -> Result<Option<String>, TokenizeError> {
    let Some(value) = config.and_then(|config| config.get("chat_template")) else {
        return Ok(None);
    };
    let Some(named) = value.as_array() else {
        return Ok(value.as_str().map(str::to_owned));
    };
    let text = |entry: &Value, key: &str| Some(entry.get(key)?.as_str()?.to_owned());
    let default = named.iter().find(|entry| text(entry, "name").as_deref() == Some("default"));
    match default.and_then(|entry| text(entry, "template")) {
        Some(template) => Ok(Some(template)),
        None => {
            let known = named.iter().filter_map(|entry| text(entry, "name")).collect();
            Err(TokenizeError::NoDefaultTemplate { path: path.to_owned(), known })
        }
    }
}
