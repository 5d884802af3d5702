//! Grammars over tokens: which token may come next, and how to end within a budget of tokens.
//!
//! A [`Grammar`] is made once of a [`Vocabulary`] and a text, a regular expression, a JSON schema or
//! the grammar of theses. Each row that is generated has a [`Matcher`] of its own: ask it for the
//! [`TokenMask`], sample among the tokens that it allows, and tell it what was sampled. The last
//! token of the budget always ends a whole text.
//!
//! ```
//! use token_grammar::{Grammar, Step, Vocabulary};
//!
//! # fn main() -> Result<(), token_grammar::GrammarError> {
//! // A token for each byte but the last, which ends a text.
//! let bytes = (0..=255).map(|byte| (byte < 255).then(|| vec![byte])).collect();
//! let vocabulary = Vocabulary::new(bytes, Default::default(), vec![255])?;
//! let grammar = Grammar::regex(&vocabulary, "a+b")?;
//! assert_eq!(grammar.shortest(), 2);
//! let (mut matcher, mut text) = (grammar.matcher(5)?, Vec::new());
//! loop {
//!     let mask = matcher.mask(5 - text.len())?;
//!     // A model would sample; this one never wants to end.
//!     let id = mask.ids().next().unwrap_or(255);
//!     match matcher.accept(id)? {
//!         Step::Accepted => text.push(id as u8),
//!         Step::Refused => {}
//!         Step::Finished => break text.push(id as u8),
//!     }
//! }
//! assert_eq!(text, b"aaaab");
//! # Ok(())
//! # }
//! ```
//!
//! Ids and bytes go in, ids come out; the crate knows no tokenizer. Masks come from `llguidance`.

mod candidates;
mod closing;
mod error;
mod forced;
mod grammar;
mod matcher;
mod parser_state;
mod shorten;
mod text_check;
mod thesis;
mod token_mask;
mod vocabulary;

pub use error::GrammarError;
pub use grammar::Grammar;
pub use matcher::{Matcher, Step};
pub use token_mask::TokenMask;
pub use vocabulary::Vocabulary;
