//! What a language model says to prompts, and how likely it finds reference answers and actions.
//!
//! [`answer_group`] takes a fixed group of rows ([`fixed_groups`]), runs their prompts once, lets the model answer, and goes
//! on from the same key-value cache: the probabilities of the five actions behind each answer ([`ActionChoices`]), and the
//! teacher-forced loss of each reference. [`mean_hidden`] makes a vector of a text.
//!
//! The group is the unit of work: what else is in a batch may change the last bit of a number, and with it an answer, so
//! whoever stops and goes on must do whole groups. Ids go in and out; [`AnswerReader`] knows the text.

mod action_choices;
mod answer_group;
mod answer_reader;
mod error;
mod grammar_vocabulary;
mod groups;
mod held_cache;
mod log_probs;
mod mean_hidden;

pub use action_choices::ActionChoices;
pub use answer_group::{
    AnswerEnd, AnswerOptions, GroupRow, MakeConstraint, RowAnswer, TargetLoss, answer_group,
};
pub use answer_reader::AnswerReader;
pub use error::LmEvaluateError;
pub use grammar_vocabulary::grammar_vocabulary;
pub use groups::fixed_groups;
pub use mean_hidden::mean_hidden;
