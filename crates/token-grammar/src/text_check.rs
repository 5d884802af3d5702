use std::collections::BTreeMap;

use llguidance::api::TopLevelGrammar;

use crate::Vocabulary;
use crate::parser_state::{Cause, ParserState};

/// A grammar over single bytes.
pub(crate) struct TextCheck {
    start: ParserState,
}

/// Byte 0xFF is in no text, so its id is free to be the end.
const END: u32 = 255;

pub(crate) fn text_check(grammar: TopLevelGrammar) -> Result<TextCheck, Cause> {
    let bytes = (0..=255).map(|byte| Some(vec![byte])).collect();
    let vocabulary = Vocabulary::new(bytes, BTreeMap::new(), vec![END])?;
    Ok(TextCheck { start: ParserState::new(grammar, &vocabulary)? })
}

impl TextCheck {
    /// Runs over a whole text; the error is the first byte that may not stand there.
    pub(crate) fn run(&self, text: &str) -> Result<(), usize> {
        let mut parser = self.start.clone();
        let tokens: Vec<u32> = text.bytes().map(u32::from).chain([END]).collect();
        match parser.valid(&tokens) {
            Ok(valid) if valid == tokens.len() => Ok(()),
            Ok(valid) => Err(valid),
            Err(_) => Err(0),
        }
    }
}
