use std::fmt;

use serde::{Deserialize, Serialize};

/// A news item that was refused.
pub type Reject = thesis_core::Reject<RejectReason>;

/// Why an item was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// The file has no header, or the header lacks a column. Nothing of the file is read.
    NoHeader,
    /// A quote is not closed, or text follows the closing one.
    BadQuotes,
    /// The row has more or fewer fields than the header.
    FieldCount,
    /// The line is no JSON object.
    BadJson,
    /// It names no stock.
    NoTicker,
    /// What it names is no ticker.
    BadTicker,
    /// It does not say when it was published.
    NoTime,
    /// When it was published cannot be told.
    BadTime,
    /// It has no title.
    NoTitle,
    /// Its title or summary is no text.
    BadText,
    /// Its sentiment is neither a number from −1 to 1 nor a known word.
    BadSentiment,
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
