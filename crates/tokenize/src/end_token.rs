use tokenizers::Tokenizer;

use crate::{ModelFiles, TokenizeError};

/// The token after which a model is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndToken {
    /// Its id.
    pub id: u32,
    /// Its text.
    pub text: String,
    /// How it was found.
    pub source: EndTokenSource,
}

/// How an end token was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndTokenSource {
    /// The caller named it.
    Named,
    /// The chat template writes it after the assistant's text.
    Template,
    /// The tokenizer's files call it `eos_token`.
    Eos,
    /// It is the first id at which `generation_config.json` stops.
    Generation,
}

/// Finds the end token: the one that the caller names; else the special token that the template
/// writes after the assistant's text; else `eos_token`; else the first id at which generation stops.
///
/// # Errors
/// [`TokenizeError::UnknownEndToken`] for a name that is no single token,
/// [`TokenizeError::NoEndToken`] where there is none of these.
pub(crate) fn find_end_token(
    tokenizer: &Tokenizer,
    files: &ModelFiles,
    named: Option<&str>,
    after_answer: Option<&str>,
) -> Result<EndToken, TokenizeError> {
    let known = |text: &str, source| match tokenizer.token_to_id(text) {
        Some(id) => Ok(EndToken { id, text: text.to_owned(), source }),
        None => Err(TokenizeError::UnknownEndToken { token: text.to_owned() }),
    };
    if let Some(text) = named {
        return known(text, EndTokenSource::Named);
    }
    let written = after_answer.and_then(|after| leading_special(tokenizer, after));
    if let Some(text) = written {
        return known(&text, EndTokenSource::Template);
    }
    if let Some(text) = files.named_token("eos_token") {
        return known(text, EndTokenSource::Eos);
    }
    let stop = files.stop_ids().into_iter().find_map(|id| Some((id, tokenizer.id_to_token(id)?)));
    let source = EndTokenSource::Generation;
    stop.map(|(id, text)| EndToken { id, text, source }).ok_or(TokenizeError::NoEndToken)
}

/// The special token that `text` begins with, white space aside.
fn leading_special(tokenizer: &Tokenizer, text: &str) -> Option<String> {
    let text = text.trim_start();
    let added = tokenizer.get_added_tokens_decoder();
    let leading = added.into_values().filter(|t| t.special && text.starts_with(&t.content));
    leading.map(|token| token.content).max_by_key(String::len)
}
