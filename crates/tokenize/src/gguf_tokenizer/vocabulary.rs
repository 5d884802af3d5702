use std::collections::HashMap;
use std::path::Path;

use crate::TokenizeError;

/// The tokenizer of a GGUF file: the values under `tokenizer.ggml.` in its metadata, by their names
/// there, and `tokenizer.chat_template`.
///
/// Source: the GGUF specification, and how llama.cpp reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GgufVocabulary {
    /// `model`: `gpt2` for BPE over bytes, `llama` for BPE with scores as SentencePiece has it.
    pub model: String,
    /// `pre`: how a text is cut into words, for `gpt2`.
    pub pre: Option<String>,
    /// `tokens`: every token; its place is its id.
    pub tokens: Vec<String>,
    /// `token_type` of each token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    /// Where the list is empty all are normal.
    pub token_types: Vec<i32>,
    /// `merges`, best first, each two tokens with a space between them; for `gpt2`.
    pub merges: Vec<String>,
    /// `scores` of the tokens, higher ones merged first; for `llama`.
    pub scores: Vec<f32>,
    /// `bos_token_id`.
    pub bos: Option<u32>,
    /// `eos_token_id`.
    pub eos: Option<u32>,
    /// `eot_token_id`: the end of a turn, where it differs from `eos`.
    pub eot: Option<u32>,
    /// `unknown_token_id`.
    pub unknown: Option<u32>,
    /// `padding_token_id`.
    pub pad: Option<u32>,
    /// `add_bos_token`; by default as llama.cpp has it for the kind of tokenizer.
    pub add_bos: Option<bool>,
    /// `add_space_prefix`, for `llama`; by default it is added.
    pub add_space_prefix: Option<bool>,
    /// `tokenizer.chat_template`.
    pub chat_template: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// A vocabulary whose lists fit each other and whose ids are there.
pub(super) struct CheckedVocabulary<'a> {
    pub(super) given: &'a GgufVocabulary,
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    pub(super) eot: Option<u32>,
    pub(super) unknown: Option<u32>,
    pub(super) pad: Option<u32>,
    path: &'a Path,
    kinds: Vec<TokenKind>,
    ids: HashMap<&'a str, u32>,
}

impl<'a> CheckedVocabulary<'a> {
    pub(super) fn new(path: &'a Path, given: &'a GgufVocabulary) -> Result<Self, TokenizeError> {
        let count = given.tokens.len();
        let refuse = |key, reason| vocabulary_error(path, key, reason);
        if count == 0 || u32::try_from(count).is_err() {
            return Err(refuse("tokens", format!("has {count} tokens")));
        }
        let kinds = match given.token_types.len() {
            0 => vec![TokenKind::Normal; count],
            n if n == count => {
                let kinds = given.token_types.iter().enumerate().map(|(id, number)| {
                    kind(*number).ok_or_else(|| {
                        refuse("token_type", format!("has the type {number} for token {id}"))
                    })
                });
                kinds.collect::<Result<_, _>>()?
            }
            n => {
                return Err(refuse("token_type", format!("has {n} values for {count} tokens")));
            }
        };
        let mut ids = HashMap::with_capacity(count);
        for (id, token) in given.tokens.iter().enumerate() {
            if let Some(earlier) = ids.insert(token.as_str(), id as u32) {
                let reason = format!("has the token {token:?} twice: as {earlier} and as {id}");
                return Err(refuse("tokens", reason));
            }
        }
        let known = |key, id: Option<u32>| match id {
            Some(id) if id as usize >= count => {
                Err(refuse(key, format!("is {id}, but there are {count} tokens")))
            }
            id => Ok(id),
        };
        Ok(Self {
            bos: known("bos_token_id", given.bos)?,
            eos: known("eos_token_id", given.eos)?,
            eot: known("eot_token_id", given.eot)?,
            unknown: known("unknown_token_id", given.unknown)?,
            pad: known("padding_token_id", given.pad)?,
            given,
            path,
            kinds,
            ids,
        })
    }

    /// Every token with its id and kind, in the order of ids.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (u32, &'a str, TokenKind)> {
        let tokens = self.given.tokens.iter().zip(&self.kinds).enumerate();
        tokens.map(|(id, (token, kind))| (id as u32, token.as_str(), *kind))
    }

    /// The text of an id that was checked.
    pub(super) fn token(&self, id: u32) -> &'a str {
        self.given.tokens.get(id as usize).map_or("", String::as_str)
    }

    pub(super) fn id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The tokens and ids as `tokenizer.json` has them.
    pub(super) fn vocab_json(&self) -> serde_json::Map<String, serde_json::Value> {
        self.tokens().map(|(id, token, _)| (token.to_owned(), id.into())).collect()
    }

    pub(super) fn error(&self, key: &'static str, reason: String) -> TokenizeError {
        vocabulary_error(self.path, key, reason)
    }

    pub(super) fn path(&self) -> &Path {
        self.path
    }
}

fn vocabulary_error(path: &Path, key: &'static str, reason: String) -> TokenizeError {
    TokenizeError::GgufVocabulary { path: path.to_owned(), key, reason }
}

fn kind(number: i32) -> Option<TokenKind> {
    Some(match number {
        1 => TokenKind::Normal,
        2 => TokenKind::Unknown,
        3 => TokenKind::Control,
        4 => TokenKind::UserDefined,
        5 => TokenKind::Unused,
        6 => TokenKind::Byte,
        _ => return None,
    })
}
