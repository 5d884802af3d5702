//! The binary as a person meets it.

mod before_training;
mod new_tokens;
mod runs;
mod support;
