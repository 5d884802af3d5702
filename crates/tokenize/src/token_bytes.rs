use serde_json::Value;
use tokenizers::Tokenizer;

use crate::TokenizeError;

/// Whether the tokenizer begins a text with a space of its own, as SentencePiece does.
pub fn begins_with_space(tokenizer: &Tokenizer) -> bool {
    let tokens = tokenizer.encode("<", false).map(|encoding| encoding.get_tokens().to_vec());
    let first = tokens.unwrap_or_default().into_iter().next();
    first.is_some_and(|token| token.starts_with(['▁', 'Ġ']))
}

/// The bytes that each id of a tokenizer stands for, by id; `None` for special tokens and for ids
/// that no token has.
///
/// Byte-level letters are bytes again, `▁` is a space, and a fallback token such as `<0xAB>` its
/// byte. Tokens that were added without being special, such as those of an answer's structure, are
/// their own text.
///
/// # Errors
/// [`TokenizeError::DecoderStep`] for a decoder of another kind, such as WordPiece.
pub fn token_bytes(tokenizer: &Tokenizer) -> Result<Vec<Option<Vec<u8>>>, TokenizeError> {
    let decoding = Decoding::of(tokenizer)?;
    let added = tokenizer.get_added_tokens_decoder();
    let mut bytes = all_bytes(tokenizer, &decoding);
    for (id, token) in added {
        if token.special
            && let Some(slot) = bytes.get_mut(id as usize)
        {
            *slot = None;
        }
    }
    Ok(bytes)
}

/// The bytes of each id, special tokens included.
pub(crate) fn all_bytes(tokenizer: &Tokenizer, decoding: &Decoding) -> Vec<Option<Vec<u8>>> {
    let mut tokens: Vec<(u32, String)> =
        tokenizer.get_vocab(true).into_iter().map(|(token, id)| (id, token)).collect();
    // One id may have two names; the added one is what the decoder reads.
    let added = tokenizer.get_added_tokens_decoder();
    tokens.retain(|(id, token)| added.get(id).is_none_or(|added| added.content == *token));
    let count = tokens.iter().map(|(id, _)| *id as usize + 1).max().unwrap_or(0);
    let mut bytes = vec![None; count];
    for (id, token) in tokens {
        bytes[id as usize] = Some(decoding.bytes(&token));
    }
    bytes
}

/// What a tokenizer's decoder does to a token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decoding {
    byte_level: bool,
    byte_fallback: bool,
    replace: Vec<(String, String)>,
    /// Spaces that are taken off the beginning of a text.
    pub(crate) strip: usize,
}

impl Decoding {
    pub(crate) fn of(tokenizer: &Tokenizer) -> Result<Self, TokenizeError> {
        let failed = |source: serde_json::Error| TokenizeError::Encode { source: source.into() };
        let decoder = tokenizer.get_decoder().map(serde_json::to_value).transpose();
        let mut decoding = Self::default();
        match decoder.map_err(failed)? {
            Some(decoder) => decoding.add(&decoder)?,
            None => return Err(TokenizeError::DecoderStep { step: "none".to_owned() }),
        }
        Ok(decoding)
    }

    fn add(&mut self, step: &Value) -> Result<(), TokenizeError> {
        let kind = step["type"].as_str().unwrap_or_default();
        let known = match kind {
            "Sequence" => {
                for step in step["decoders"].as_array().into_iter().flatten() {
                    self.add(step)?;
                }
                true
            }
            "ByteLevel" => {
                self.byte_level = true;
                true
            }
            "ByteFallback" => {
                self.byte_fallback = true;
                true
            }
            "Fuse" => true,
            "Replace" => match (step["pattern"]["String"].as_str(), step["content"].as_str()) {
                (Some(pattern), Some(content)) => {
                    self.replace.push((pattern.to_owned(), content.to_owned()));
                    true
                }
                _ => false,
            },
            "Strip" if step["content"] == " " && step["stop"] == 0 => {
                self.strip = step["start"].as_u64().map_or(0, |n| n as usize);
                true
            }
            "Metaspace" => {
                let space = step["replacement"].as_str().unwrap_or("▁");
                self.replace.push((space.to_owned(), " ".to_owned()));
                self.strip = usize::from(step["prepend_scheme"] != "never");
                true
            }
            _ => false,
        };
        if known { Ok(()) } else { Err(TokenizeError::DecoderStep { step: kind.to_owned() }) }
    }

    fn bytes(&self, token: &str) -> Vec<u8> {
        if self.byte_level {
            // What is not wholly in the alphabet of bytes is text, as tokens are that were added.
            let letters: Option<Vec<u8>> = token.chars().map(byte_of_letter).collect();
            return letters.unwrap_or_else(|| token.as_bytes().to_vec());
        }
        if self.byte_fallback
            && let Some(byte) = fallback_byte(token)
        {
            return vec![byte];
        }
        let replaced = self
            .replace
            .iter()
            .fold(token.to_owned(), |text, (pattern, content)| text.replace(pattern, content));
        replaced.into_bytes()
    }
}

fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// The byte that a letter of GPT-2's alphabet stands for: printable Latin-1 stands for itself, and
/// the other 68 bytes have the letters from U+0100 on, in their order.
fn byte_of_letter(letter: char) -> Option<u8> {
    let code = u32::from(letter);
    match code {
        0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => u8::try_from(code).ok(),
        0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        0x121..=0x142 => u8::try_from(code - 0x121 + 0x7F).ok(),
        0x143 => Some(0xAD),
        _ => None,
    }
}
