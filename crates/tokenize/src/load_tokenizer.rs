use serde::Deserialize;
use tokenizers::{AddedToken, Model, Tokenizer};

use crate::{ModelFiles, TokenizeError};

/// The keys under which a tokenizer's files name tokens with a role.
pub(crate) const NAMED_TOKENS: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

#[derive(Deserialize)]
struct Declared {
    #[serde(default)]
    added_tokens: Vec<DeclaredToken>,
}

#[derive(Deserialize)]
struct DeclaredToken {
    id: u32,
    content: String,
}

/// Builds the tokenizer, without the truncation and padding that its file may carry: either would
/// change rows in silence.
///
/// Tokens that the files name, as in `eos_token`, count as special even where `tokenizer.json`
/// knows them as plain vocabulary; transformers does the same.
pub(crate) fn load_tokenizer(files: &ModelFiles) -> Result<Tokenizer, TokenizeError> {
    let refuse = |source| TokenizeError::Tokenizer { path: files.path.clone(), source };
    let json = |source| TokenizeError::Json { path: files.path.clone(), source };
    let declared: Declared = serde_json::from_str(&files.tokenizer).map_err(json)?;
    let mut tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(refuse)?;
    tokenizer.with_truncation(None).map_err(refuse)?;
    tokenizer.with_padding(None);
    for DeclaredToken { id, content } in declared.added_tokens {
        // The library gives ids by order and only logs where the file says otherwise.
        match tokenizer.token_to_id(&content) {
            Some(got) if got != id => {
                return Err(TokenizeError::TokenId { token: content, expected: id, got });
            }
            _ => {}
        }
    }
    let known = tokenizer.get_added_tokens_decoder();
    let is_added = |token: &str| known.values().any(|added| added.content == token);
    let unmarked: Vec<_> = NAMED_TOKENS
        .iter()
        .filter_map(|key| files.named_token(key))
        .filter(|token| tokenizer.token_to_id(token).is_some() && !is_added(token))
        .map(|token| AddedToken::from(token, true))
        .collect();
    tokenizer.add_special_tokens(unmarked).map_err(refuse)?;
    Ok(tokenizer)
}

/// Adds tokens that become single ids after the existing ones; those that exist are left alone.
pub(crate) fn add_tokens<'a>(
    tokenizer: &mut Tokenizer,
    tokens: impl Iterator<Item = &'a str>,
) -> Result<(), TokenizeError> {
    let added = tokenizer.get_added_tokens_decoder();
    let is_added = |token: &str| added.values().any(|known| known.content == token);
    let missing: Vec<&str> = tokens.filter(|token| !is_added(token)).collect();
    // Not special: decoding for people leaves special tokens out, and these carry the answer. Not
    // normalized: a normalizer that lowers case must not make `<buy>` of `<BUY>`.
    let as_added = |token: &&str| AddedToken::from(*token, false).normalized(false);
    tokenizer
        .add_tokens(missing.iter().map(as_added))
        .map_err(|source| TokenizeError::Encode { source })?;
    for token in missing {
        let Some(id) = tokenizer.token_to_id(token) else { continue };
        let holder = tokenizer.get_model().id_to_token(id);
        let clash = added.contains_key(&id) || holder.is_some_and(|holder| holder != token);
        if clash {
            let expected = highest_id(tokenizer) + 1;
            return Err(TokenizeError::TokenId { token: token.to_owned(), expected, got: id });
        }
    }
    Ok(())
}

/// The highest id of the model's own vocabulary.
pub(crate) fn highest_id(tokenizer: &Tokenizer) -> u32 {
    tokenizer.get_model().get_vocab().into_values().max().unwrap_or(0)
}
