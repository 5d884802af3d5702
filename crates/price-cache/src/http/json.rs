use chrono::NaiveDate;
use serde_json::Value;
use thesis_core::{Diagnostic, ParsedNumber, Severity, Ticker, parse_number};

use crate::SourceError;

/// The most characters of an answer that an error quotes.
const QUOTED: usize = 120;

/// Reads an answer as JSON.
pub(crate) fn parse(source_name: &str, text: &str) -> Result<Value, SourceError> {
    serde_json::from_str(text).map_err(|error| {
        let reason = match text.trim_start().starts_with('<') {
            true => format!("HTML where JSON should be: {}", quote(text)),
            false => format!("{error}: {}", quote(text)),
        };
        malformed(source_name, reason)
    })
}

pub(crate) fn malformed(source_name: &str, reason: String) -> SourceError {
    SourceError::Malformed { source_name: source_name.to_owned(), reason }
}

/// The beginning of a text, on one line.
pub(crate) fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("`{}…`", &line[..end]),
        None => format!("`{line}`"),
    }
}

/// A number, be it written as one or as text; `None` for null, nothing and words.
pub(crate) fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match parse_number(text) {
            ParsedNumber::Value(value) => Some(value),
            ParsedNumber::Missing | ParsedNumber::Unreadable => None,
        },
        _ => None,
    }
}

/// Something odd about an answer, told once.
pub(crate) fn warning(source_name: &str, ticker: &Ticker, message: String) -> Diagnostic {
    let file = format!("{source_name}/{ticker}");
    Diagnostic { file, line: 1, column: 1, severity: Severity::Warning, message }
}

/// Rows of an answer that gave no bar, in one diagnostic.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    count: usize,
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
}

impl LeftOut {
    pub(crate) fn add(&mut self, date: Option<NaiveDate>) {
        self.count += 1;
        self.first = self.first.or(date);
        self.last = date.or(self.last);
    }

    pub(crate) fn diagnostic(&self, source_name: &str, ticker: &Ticker) -> Option<Diagnostic> {
        let Self { count, first, last } = self;
        let rows = match count {
            0 => return None,
            1 => "1 row without all four prices".to_owned(),
            _ => format!("{count} rows without all four prices"),
        };
        let days = match (first, last) {
            (Some(first), Some(last)) if first == last => format!(", {first}"),
            (Some(first), Some(last)) => format!(", {first} to {last}"),
            _ => String::new(),
        };
        Some(Diagnostic { severity: Severity::Error, ..warning(source_name, ticker, rows + &days) })
    }
}
