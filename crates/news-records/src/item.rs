use chrono::{DateTime, Utc};
use thesis_core::Ticker;

/// A piece of news on one stock.
#[derive(Debug, Clone, PartialEq)]
pub struct NewsItem {
    /// The stock.
    pub ticker: Ticker,
    /// The instant from which on it is known.
    pub published_at: DateTime<Utc>,
    /// The headline, on one line; never empty.
    pub title: String,
    /// What it says, on one line; never empty where present.
    pub summary: Option<String>,
    /// From −1, bad for the stock, to 1, good for it.
    pub sentiment: Option<f64>,
    /// The file, as the caller named it.
    pub file: String,
    /// The line on which the item begins, from 1.
    pub line: u64,
}
