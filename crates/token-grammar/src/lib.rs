//! Grammars over tokens: which token may come next, and how to end within a budget of tokens.
//!
//! A [`Grammar`] is made once of a [`Vocabulary`] and a text, a regular expression, a JSON schema or
//! the grammar of theses. Each row that is generated has a [`Matcher`] of its own: ask it for the
//! [`TokenMask`], sample among the tokens that it allows, and tell it what was sampled. The last
//! token of the budget always ends a whole text.
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
