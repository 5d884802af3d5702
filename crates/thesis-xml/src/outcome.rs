use std::fmt;

use serde::{Deserialize, Serialize};
use thesis_core::{Diagnostic, Thesis};

/// What a file held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The theses that could be read, in the order of the file.
    pub theses: Vec<Located>,
    /// The theses that could not, in the order of the file; or the file itself, where it is no XML.
    pub rejects: Vec<Reject>,
    /// What is odd about the file, or about theses that were kept.
    pub diagnostics: Vec<Diagnostic>,
}

/// A thesis and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The thesis.
    pub thesis: Thesis,
    /// Line of its `<thesis>`, from 1.
    pub line: u64,
}

/// A thesis or a file that was refused.
pub type Reject = thesis_core::Reject<RejectReason>;

/// Why an item was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// The file is no XML, or its text cannot be decoded.
    NotXml,
    /// The file could not be read at all.
    Unreadable,
    /// The file is larger than the reader takes.
    TooLarge,
    /// The thesis is not well-formed, or not closed.
    Malformed,
    /// Its elements lie deeper than the reader follows.
    TooDeep,
    /// It says the same thing twice.
    Ambiguous,
    /// It names no stock.
    NoTicker,
    /// What it names is no ticker.
    BadTicker,
    /// It has no date.
    NoDate,
    /// Its date is in no calendar, or cannot be told.
    BadDate,
    /// Its date lies after the day up to which theses are taken.
    FutureDate,
    /// It has no action.
    NoAction,
    /// Its action is none of the five.
    UnknownAction,
    /// It gives no reasons.
    EmptyReasoning,
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
