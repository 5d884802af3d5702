use chrono::NaiveDate;
use thesis_core::Ticker;

/// What cannot be simulated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A column of the market that does not have one value a day and ticker.
    #[error("column `{column}` has {got} values; {days} days of {tickers} tickers need {}", days * tickers)]
    Shape {
        /// The column.
        column: &'static str,
        /// Its values.
        got: usize,
        /// Sessions of the market.
        days: usize,
        /// Tickers of the market.
        tickers: usize,
    },
    /// Sessions that do not ascend.
    #[error(
        "session {date} stands twice, or before an earlier one; sort the bars and keep one a date"
    )]
    Dates {
        /// The first date out of order.
        date: NaiveDate,
    },
    /// A ticker twice, or tickers that do not ascend.
    #[error("ticker {ticker} stands twice, or out of order")]
    Tickers {
        /// The first ticker out of order.
        ticker: Ticker,
    },
    /// A price that cannot be one.
    #[error("{ticker} on {date}: the {column} {value} is not a price above 0")]
    Price {
        /// Whose.
        ticker: Ticker,
        /// When.
        date: NaiveDate,
        /// `open` or `close`.
        column: &'static str,
        /// What stands there.
        value: f64,
    },
    /// A volume below zero.
    #[error("{ticker} on {date}: the volume {value} is below 0")]
    Volume {
        /// Whose.
        ticker: Ticker,
        /// When.
        date: NaiveDate,
        /// What stands there.
        value: f64,
    },
    /// A corporate action that the prices hold already, so that it would count twice.
    #[error("{ticker} on {date}: prices are {basis}, so {action} is in them already")]
    CountedTwice {
        /// Whose.
        ticker: Ticker,
        /// When.
        date: NaiveDate,
        /// What the prices are adjusted for.
        basis: &'static str,
        /// The action.
        action: &'static str,
    },
    /// A corporate action of a ticker that the market does not have.
    #[error("{ticker} on {date}: the market does not have the ticker")]
    UnknownEvent {
        /// Whose.
        ticker: Ticker,
        /// When.
        date: NaiveDate,
    },
    /// Calls that were placed on another market.
    #[error(
        "the calls cover {calls_days} days of {calls_tickers} tickers, the market {days} of {tickers}"
    )]
    Calls {
        /// Days of the calls.
        calls_days: usize,
        /// Tickers of the calls.
        calls_tickers: usize,
        /// Sessions of the market.
        days: usize,
        /// Tickers of the market.
        tickers: usize,
    },
    /// A setting out of its range.
    #[error("`{key}` is {value}: {expected}")]
    Setting {
        /// The key of the configuration.
        key: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
}
