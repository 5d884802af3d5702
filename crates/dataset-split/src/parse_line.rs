use std::fmt::Write;

use thesis_core::{Action, AsOfDate, Diagnostic, Record, Severity, Ticker};

use crate::line_blocks::Line;

/// What the index keeps of a line, and what it needs once.
pub(crate) struct ParsedLine {
    pub(crate) entry: Entry,
    pub(crate) ticker: Ticker,
    pub(crate) uid: UidHash,
}

/// A record's place and what splits and statistics go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where its line stands in the file, in bytes.
    pub(crate) offset: u64,
    /// Its line, from 1.
    pub(crate) line: u64,
    /// Length of its line in bytes.
    pub(crate) bytes: u32,
    pub(crate) date: AsOfDate,
    /// Stands for its ticker.
    pub(crate) ticker: u32,
    pub(crate) input_chars: u32,
    pub(crate) output_chars: u32,
    pub(crate) action: Action,
}

/// Stands for a `uid`: the first half of its digest, so that two alike mean two equal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UidHash([u8; 16]);

/// Reads a line whole, although the index keeps little of it: every fault shows before anything
/// is written.
pub(crate) fn parse_line(line: Line<'_>, file: &str) -> Result<ParsedLine, Diagnostic> {
    let record = parse_record(line.text, line.number, file)?;
    let too_long = |_| fault(file, line.number, 1, "the line is longer than 4 GiB".to_owned());
    let chars = |text: &str| u32::try_from(text.chars().count()).map_err(too_long);
    let entry = Entry {
        offset: line.offset,
        line: line.number,
        bytes: u32::try_from(line.text.len()).map_err(too_long)?,
        date: record.as_of_date,
        ticker: 0,
        input_chars: chars(&record.input)?,
        output_chars: chars(&record.output)?,
        action: record.action,
    };
    let mut uid = [0; 16];
    uid.copy_from_slice(&blake3::hash(record.uid.as_bytes()).as_bytes()[..16]);
    Ok(ParsedLine { entry, ticker: record.ticker, uid: UidHash(uid) })
}

/// Reads a record, or says what is wrong and where.
pub(crate) fn parse_record(text: &[u8], line: u64, file: &str) -> Result<Record, Diagnostic> {
    serde_json::from_slice(text).map_err(|error| {
        let mut message = error.to_string();
        let mut place = String::new();
        // The parser counts lines within the text, which is one line.
        if write!(place, " at line {} column {}", error.line(), error.column()).is_ok() {
            message.truncate(message.strip_suffix(&place).map_or(message.len(), str::len));
        }
        fault(file, line, error.column() as u64, message)
    })
}

pub(crate) fn fault(file: &str, line: u64, column: u64, message: String) -> Diagnostic {
    let column = column.max(1);
    Diagnostic { file: file.to_owned(), line, column, severity: Severity::Error, message }
}
