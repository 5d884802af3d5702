use chrono_tz::Tz;
use thesis_core::{DateOrder, Diagnostic, Severity, Ticker};

use crate::{NewsItem, Reject, RejectReason, sentiment, stamp};

/// Text at a place of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// An item as it is written; absent and empty are the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) ticker: Cell<'a>,
    pub(crate) published_at: Cell<'a>,
    pub(crate) title: Cell<'a>,
    pub(crate) summary: Cell<'a>,
    pub(crate) sentiment: Cell<'a>,
}

/// The fields by name, in the order of [`Written`].
pub(crate) const NAMES: [&str; 5] = ["ticker", "published_at", "title", "summary", "sentiment"];

/// How many of [`NAMES`], from the first, an item cannot do without.
pub(crate) const REQUIRED: usize = 3;

/// Why an item is refused, and where.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: RejectReason,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) message: String,
}

/// Reads an item that begins on `line` of `file`.
pub(crate) fn read(
    written: &Written<'_>,
    (file, line): (&str, u64),
    zone: Tz,
    order: DateOrder,
) -> Result<NewsItem, Fault> {
    let Written { ticker, published_at, title, summary, sentiment } = written;
    if ticker.text.trim().is_empty() {
        return Err(ticker.fault(RejectReason::NoTicker, "no ticker"));
    }
    let symbol = Ticker::new(ticker.text)
        .map_err(|error| ticker.fault(RejectReason::BadTicker, &error.to_string()))?;
    if published_at.text.trim().is_empty() {
        return Err(published_at.fault(RejectReason::NoTime, "no time of publication"));
    }
    let instant = stamp::parse(published_at.text, zone, order)
        .map_err(|error| published_at.fault(RejectReason::BadTime, &error.to_string()))?;
    let headline = one_line(title.text);
    if headline.is_empty() {
        return Err(title.fault(RejectReason::NoTitle, "no title"));
    }
    let score = sentiment::parse(sentiment.text).map_err(|sentiment::OffScale| {
        let text = sentiment.text.trim();
        let message =
            format!("sentiment `{text}` is neither a number from -1 to 1 nor a known word");
        sentiment.fault(RejectReason::BadSentiment, &message)
    })?;
    Ok(NewsItem {
        ticker: symbol,
        published_at: instant,
        title: headline,
        summary: Some(one_line(summary.text)).filter(|text| !text.is_empty()),
        sentiment: score,
        file: file.to_owned(),
        line,
    })
}

impl Cell<'_> {
    pub(crate) fn fault(&self, reason: RejectReason, message: &str) -> Fault {
        Fault { reason, line: self.line, column: self.column, message: message.to_owned() }
    }
}

impl Fault {
    pub(crate) fn reject(self, file: &str, raw: &str) -> Reject {
        let Self { reason, line, column, message } = self;
        let (file, severity) = (file.to_owned(), Severity::Error);
        let diagnostic = Diagnostic { file, line, column, severity, message };
        Reject { reason, diagnostic, raw: raw.to_owned() }
    }
}

/// A name as headers and keys spell it: without case, spaces, hyphens and underscores.
pub(crate) fn same_name(written: &str, name: &str) -> bool {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    letters(written) == letters(name)
}

/// A record's input gives each item a line; a line break inside of it could pass for another one.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
