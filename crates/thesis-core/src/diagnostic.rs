use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The item was kept; something about it is odd.
    Warning,
    /// The item was not kept.
    Error,
}

/// What a reader has to say about a place in its input.
///
/// Displayed as compilers do, `file:line:column: severity: message`, so that editors jump there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The file, as the caller named it.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// Whether the item was kept.
    pub severity: Severity,
    /// What is wrong, and what to do about it where that is not plain.
    pub message: String,
}

/// An item that was refused, with all that is needed to mend it. Each reader has its own reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject<Reason> {
    /// What to count it under.
    pub reason: Reason,
    /// Where, and what is wrong.
    pub diagnostic: Diagnostic,
    /// The item as it stands in the file; empty where the file as a whole is refused.
    pub raw: String,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, message } = self;
        write!(f, "{file}:{line}:{column}: {severity}: {message}")
    }
}
