use std::error::Error;
use std::panic::AssertUnwindSafe;

use llguidance::TokenParser;
use llguidance::api::{StopReason, TopLevelGrammar};
use llguidance::panic_utils::catch_unwind;
use llguidance::toktrie::{Recognizer, SimpleVob};

use crate::Vocabulary;

/// Why a grammar cannot go on.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// The bytes that may come next, a bit each.
pub(crate) type ByteSet = [u64; 4];

/// A place in a grammar: what was read, and what may follow.
///
/// The library that does the work reports some faults by panics; here they are errors.
#[derive(Clone)]
pub(crate) struct ParserState {
    parser: TokenParser,
    eos: u32,
}

impl ParserState {
    pub(crate) fn new(grammar: TopLevelGrammar, vocabulary: &Vocabulary) -> Result<Self, Cause> {
        let mut parser = vocabulary.factory().create_parser(grammar)?;
        parser.start_without_prompt();
        Ok(Self { parser, eos: vocabulary.trie().eos_token() })
    }

    /// Reads tokens that are known to be valid.
    pub(crate) fn consume(&mut self, tokens: &[u32]) -> Result<(), Cause> {
        self.guard(|parser| {
            for token in tokens {
                parser.consume_token(*token)?;
            }
            parser.check_stop()
        })?;
        match self.parser.stop_reason() {
            StopReason::NotStopped | StopReason::NoExtension | StopReason::EndOfSentence => Ok(()),
            reason => Err(reason.to_string().into()),
        }
    }

    /// Whether nothing can follow.
    pub(crate) fn is_stopped(&self) -> bool {
        self.parser.stopped()
    }

    /// How many of the tokens may follow one after the other; the state stays as it is.
    pub(crate) fn valid(&mut self, tokens: &[u32]) -> Result<usize, Cause> {
        self.guard(|parser| parser.validate_tokens_raw(tokens))
    }

    /// Whether these tokens end the text.
    pub(crate) fn closes(&mut self, tokens: &[u32]) -> bool {
        if self.is_stopped() {
            return tokens.is_empty();
        }
        let whole = [tokens, &[self.eos]].concat();
        self.valid(&whole).is_ok_and(|valid| valid == whole.len())
    }

    /// The tokens that may follow.
    pub(crate) fn mask(&mut self) -> Result<SimpleVob, Cause> {
        self.guard(TokenParser::compute_mask)
    }

    /// The bytes that must follow; a special token stands there as `\xFF[ID]`.
    pub(crate) fn forced_bytes(&self) -> Vec<u8> {
        let force = |parser: &mut TokenParser| Ok::<_, Cause>(parser.force_bytes());
        self.clone().guard(force).unwrap_or_default()
    }

    /// The bytes that may follow here, and for each of `first` those that may follow it.
    pub(crate) fn bytes(&mut self, first: &[u8]) -> Result<(ByteSet, Vec<ByteSet>), Cause> {
        self.guard(|parser| {
            Ok::<_, Cause>(parser.parser.with_recognizer(|recognizer| {
                recognizer.trie_started("bytes");
                let here = allowed(recognizer);
                let mut after = Vec::with_capacity(first.len());
                for byte in first {
                    let mut set = [0; 4];
                    if recognizer.try_push_byte(*byte) {
                        set = allowed(recognizer);
                        recognizer.pop_bytes(1);
                    }
                    after.push(set);
                }
                recognizer.trie_finished();
                (here, after)
            }))
        })
    }

    fn guard<T, E: Into<Cause>>(
        &mut self,
        act: impl FnOnce(&mut TokenParser) -> Result<T, E>,
    ) -> Result<T, Cause> {
        let parser = &mut self.parser;
        match catch_unwind(AssertUnwindSafe(|| Ok(act(parser)))) {
            Ok(outcome) => outcome.map_err(Into::into),
            Err(panic) => Err(first_part(&panic.to_string()).into()),
        }
    }
}

/// The message of a panic without the stack that the library writes after it.
fn first_part(message: &str) -> &str {
    message.split("\n<backtrace>").next().unwrap_or(message)
}

fn allowed(recognizer: &mut impl Recognizer) -> ByteSet {
    let mut set = [0; 4];
    // No text has the bytes from 0xF8 on, and 0xFF begins what is no text.
    for byte in 0..=0xF7_u8 {
        if recognizer.byte_allowed(byte) {
            set[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
    }
    set
}
