//! The answers on disk: what is there is not done again.

mod file;
mod line;

pub(crate) use file::AnswersFile;
pub(crate) use line::{Answer, Cosine, Key, Line, Part};
