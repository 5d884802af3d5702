use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use thesis_core::StructureTag;
use tokenize::{ModelFiles, PromptFormat, PromptOptions, StructureTokens, TokenizeError};

/// A token of the shards' tokenizer that the base model's does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewToken {
    pub(crate) id: u32,
    pub(crate) text: String,
}

/// Why the tokenizer of shards cannot be that of the model.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenizerMismatch {
    #[error(transparent)]
    Files(#[from] TokenizeError),
    #[error("{path} is damaged")]
    Json {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "they were made with another tokenizer: {path} has {got} tokens in its vocabulary, and the base model's {expected}"
    )]
    Vocabulary { path: PathBuf, got: usize, expected: usize },
    #[error(
        "they were made with another tokenizer: in {path} `{token}` has id {got:?}, and in the base model's {expected}"
    )]
    Token { path: PathBuf, token: String, got: Option<u32>, expected: u32 },
}

/// The part of `tokenizer.json` that says which tokens there are.
#[derive(Deserialize)]
struct TokenizerJson {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    model: ModelJson,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct ModelJson {
    vocab: Vocab,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vocab {
    /// BPE: texts and their ids.
    Ids(Map<String, Value>),
    /// Unigram: texts and scores, by id.
    Scores(Vec<(String, f64)>),
}

/// The files that say how a model reads and writes text: those of its folder, or what its GGUF file holds.
pub(crate) fn base_tokenizer(model: &Path) -> anyhow::Result<ModelFiles> {
    Ok(ModelFiles::read(model)?)
}

/// How a model with these files is asked. Tags and actions of an answer are single tokens where the tokenizer has all of
/// them.
///
/// # Errors
/// Files that are damaged or contradict each other, and a model without an end token.
pub(crate) fn prompt_format(files: &ModelFiles) -> Result<PromptFormat, TokenizeError> {
    let with = |structure_tokens| PromptOptions { structure_tokens, ..PromptOptions::default() };
    let plain = PromptFormat::new(files, &with(StructureTokens::Plain))?;
    let has = |token| plain.tokenizer().token_to_id(token).is_some();
    match StructureTag::tokens().all(has) {
        true => PromptFormat::new(files, &with(StructureTokens::Added)),
        false => Ok(plain),
    }
}

/// What the tokenizer in `folder` has beyond `base`, by id.
///
/// # Errors
/// [`TokenizerMismatch`] where it is no extension of `base`.
pub(super) fn new_tokens(
    folder: &Path,
    base: &ModelFiles,
) -> Result<Vec<NewToken>, TokenizerMismatch> {
    let files = ModelFiles::read(folder)?;
    let (ours, theirs) = (read(&files)?, read(base)?);
    let path = || files.path.clone();
    let (got, expected) = (ours.model.vocab.len(), theirs.model.vocab.len());
    if got != expected {
        return Err(TokenizerMismatch::Vocabulary { path: path(), got, expected });
    }
    let added: BTreeMap<&str, u32> =
        ours.added_tokens.iter().map(|token| (token.content.as_str(), token.id)).collect();
    for AddedToken { id: expected, content } in &theirs.added_tokens {
        let got = added.get(content.as_str()).copied().or_else(|| ours.model.vocab.id(content));
        if got != Some(*expected) {
            let (token, expected) = (content.clone(), *expected);
            return Err(TokenizerMismatch::Token { path: path(), token, got, expected });
        }
    }
    let known = |token: &AddedToken| {
        theirs.added_tokens.iter().any(|known| known.content == token.content)
            || theirs.model.vocab.id(&token.content).is_some()
    };
    let new = ours.added_tokens.iter().filter(|token| !known(token));
    let mut new: Vec<NewToken> =
        new.map(|token| NewToken { id: token.id, text: token.content.clone() }).collect();
    new.sort_by_key(|token| token.id);
    Ok(new)
}

fn read(files: &ModelFiles) -> Result<TokenizerJson, TokenizerMismatch> {
    serde_json::from_str(&files.tokenizer)
        .map_err(|source| TokenizerMismatch::Json { path: files.path.clone(), source })
}

impl Vocab {
    fn len(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Scores(scores) => scores.len(),
        }
    }

    fn id(&self, token: &str) -> Option<u32> {
        match self {
            Self::Ids(ids) => ids.get(token)?.as_u64()?.try_into().ok(),
            Self::Scores(scores) => {
                scores.iter().position(|(text, _)| text == token)?.try_into().ok()
            }
        }
    }
}
