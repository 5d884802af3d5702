//! A tokenizer from the metadata of a GGUF file.

mod byte_level;
mod metadata;
mod pre_tokenizers;
mod sentence_piece;
mod vocabulary;

use std::path::Path;

use serde_json::{Map, Value, json};

pub use vocabulary::GgufVocabulary;

use crate::{ModelFiles, TokenizeError};
use vocabulary::{CheckedVocabulary, TokenKind};

impl ModelFiles {
    /// The files that a transformers folder would have for the tokenizer of a GGUF file.
    ///
    /// `path` is the GGUF file; errors name it. What comes out is like what [`ModelFiles::read`]
    /// finds in a folder: [`crate::PromptFormat`] takes it, and [`crate::tokenizer_files`] saves it.
    ///
    /// # Errors
    /// [`TokenizeError::GgufModel`] and [`TokenizeError::GgufPreTokenizer`] for kinds of tokenizers
    /// that are not known, [`TokenizeError::GgufVocabulary`] for metadata that contradicts itself.
    pub fn from_gguf(path: &Path, vocabulary: &GgufVocabulary) -> Result<Self, TokenizeError> {
        let checked = CheckedVocabulary::new(path, vocabulary)?;
        let parts = match vocabulary.model.as_str() {
            "gpt2" => byte_level::parts(&checked)?,
            "llama" => sentence_piece::parts(&checked)?,
            model => {
                let (path, model) = (path.to_owned(), model.to_owned());
                return Err(TokenizeError::GgufModel { path, model, known: &["gpt2", "llama"] });
            }
        };
        let add_bos = vocabulary.add_bos.unwrap_or(parts.bos_by_default);
        let bos = checked.bos.filter(|_| add_bos);
        let tokenizer = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added_tokens(&checked),
            "normalizer": parts.normalizer,
            "pre_tokenizer": parts.pre_tokenizer,
            "post_processor": bos.map(|id| begin_with(id, checked.token(id))),
            "decoder": parts.decoder,
            "model": parts.model,
        });
        let mut stop_ids: Vec<u32> = [checked.eos, checked.eot].into_iter().flatten().collect();
        stop_ids.dedup();
        let mut generation = Map::new();
        if !stop_ids.is_empty() {
            generation.insert("eos_token_id".into(), json!(stop_ids));
        }
        Ok(Self {
            path: path.to_owned(),
            tokenizer: tokenizer.to_string(),
            config: Some(config(&checked, bos.is_some())),
            chat_template: vocabulary.chat_template.clone(),
            special_tokens: None,
            generation: (!generation.is_empty()).then_some(generation),
            read: vec![path.to_owned()],
        })
    }
}

/// What differs between the kinds of tokenizers.
struct Parts {
    normalizer: Value,
    pre_tokenizer: Value,
    decoder: Value,
    model: Value,
    /// Whether a text begins with the `bos` token where the file does not say.
    bos_by_default: bool,
}

/// Control tokens are special; tokens that a user defined are found in any text, but say something.
fn added_tokens(vocabulary: &CheckedVocabulary<'_>) -> Vec<Value> {
    let added = vocabulary.tokens().filter_map(|(id, token, kind)| {
        let special = match kind {
            TokenKind::Control | TokenKind::Unknown => true,
            // The normalizer hides such a token from a search in the text as it is written; the
            // model's merges find it.
            TokenKind::UserDefined if !token.contains(sentence_piece::SPACE) => false,
            _ => return None,
        };
        Some(json!({
            "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": special,
        }))
    });
    added.collect()
}

/// A post-processor that puts one token before every text.
fn begin_with(id: u32, token: &str) -> Value {
    let (text, pair) = (json!({"Sequence": {"id": "A", "type_id": 0}}), "B");
    let bos = json!({"SpecialToken": {"id": token, "type_id": 0}});
    let second = json!({"Sequence": {"id": pair, "type_id": 1}});
    let mut special_tokens = Map::new();
    special_tokens.insert(token.to_owned(), json!({"id": token, "ids": [id], "tokens": [token]}));
    json!({
        "type": "TemplateProcessing",
        "single": [bos, text],
        "pair": [bos, text, {"SpecialToken": {"id": token, "type_id": 1}}, second],
        "special_tokens": special_tokens,
    })
}

fn config(vocabulary: &CheckedVocabulary<'_>, add_bos: bool) -> Map<String, Value> {
    let mut config = Map::new();
    config.insert("tokenizer_class".into(), json!("PreTrainedTokenizerFast"));
    config.insert("add_bos_token".into(), json!(add_bos));
    config.insert("clean_up_tokenization_spaces".into(), json!(false));
    let named = [
        ("bos_token", vocabulary.bos),
        ("eos_token", vocabulary.eos),
        ("unk_token", vocabulary.unknown),
        ("pad_token", vocabulary.pad),
    ];
    for (key, id) in named {
        if let Some(id) = id {
            config.insert(key.into(), json!(vocabulary.token(id)));
        }
    }
    config
}
