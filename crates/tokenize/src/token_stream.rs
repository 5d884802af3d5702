use std::collections::HashSet;
use std::sync::Arc;

use tokenizers::Tokenizer;

use crate::TokenizeError;
use crate::token_bytes::{Decoding, all_bytes};

/// Whether control tokens show up in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpecialTokens {
    /// They are left out.
    #[default]
    Skip,
    /// They are written as they are named.
    Keep,
}

/// Turns ids into text, piece by piece; made once for a tokenizer, and shared.
#[derive(Debug, Clone)]
pub struct Detokenizer {
    table: Arc<Table>,
}

#[derive(Debug)]
struct Table {
    bytes: Vec<Option<Vec<u8>>>,
    special: HashSet<u32>,
    strip: usize,
}

impl Detokenizer {
    /// Reads the bytes of every token.
    ///
    /// # Errors
    /// [`TokenizeError::DecoderStep`] as [`crate::token_bytes`].
    pub fn new(tokenizer: &Tokenizer) -> Result<Self, TokenizeError> {
        let decoding = Decoding::of(tokenizer)?;
        let added = tokenizer.get_added_tokens_decoder().into_iter();
        let table = Table {
            bytes: all_bytes(tokenizer, &decoding),
            special: added.filter(|(_, token)| token.special).map(|(id, _)| id).collect(),
            strip: decoding.strip,
        };
        Ok(Self { table: Arc::new(table) })
    }

    /// Begins a text.
    pub fn stream(&self, special: SpecialTokens) -> TokenStream {
        let strip = self.table.strip;
        TokenStream {
            table: self.table.clone(),
            special,
            strip,
            pending: Vec::new(),
            text: String::new(),
        }
    }
}

/// A text that grows by ids and is given out in whole characters.
///
/// All pieces together are the text that the tokenizer decodes from all ids at once. Bytes that are
/// no UTF-8 become U+FFFD as [`String::from_utf8_lossy`] has it; decoders with byte fallback may
/// count such bytes in another way.
#[derive(Debug, Clone)]
pub struct TokenStream {
    table: Arc<Table>,
    special: SpecialTokens,
    /// Spaces at the beginning that are still to be taken off.
    strip: usize,
    /// The beginning of a character.
    pending: Vec<u8>,
    text: String,
}

impl TokenStream {
    /// Adds an id and returns the text that is complete now; often empty. An id that no token has
    /// adds nothing.
    pub fn push(&mut self, id: u32) -> &str {
        self.text.clear();
        let skipped = self.special == SpecialTokens::Skip && self.table.special.contains(&id);
        if let Some(Some(bytes)) = self.table.bytes.get(id as usize).filter(|_| !skipped) {
            let mut bytes = bytes.as_slice();
            while let Some((b' ', rest)) = bytes.split_first().filter(|_| self.strip > 0) {
                bytes = rest;
                self.strip -= 1;
            }
            if !bytes.is_empty() {
                self.strip = 0;
            }
            self.pending.extend_from_slice(bytes);
            let taken = take_whole(&self.pending, &mut self.text);
            self.pending.drain(..taken);
        }
        &self.text
    }

    /// Ends the text: what is left is the beginning of a character that never came, as U+FFFD.
    pub fn finish(&mut self) -> &str {
        self.text.clear();
        if !self.pending.is_empty() {
            self.pending.clear();
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        &self.text
    }
}

/// Writes the whole characters of `bytes` to `text` and returns how many bytes that took; what is
/// left may be the beginning of a character.
fn take_whole(bytes: &[u8], text: &mut String) -> usize {
    let mut taken = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        taken += chunk.valid().len();
        if chunk.invalid().is_empty() {
            continue;
        }
        let at_end = taken + chunk.invalid().len() == bytes.len();
        if at_end && is_beginning(chunk.invalid()) {
            break;
        }
        text.push(char::REPLACEMENT_CHARACTER);
        taken += chunk.invalid().len();
    }
    taken
}

/// Whether more bytes could make a character of these.
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}
