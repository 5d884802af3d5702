use chrono::NaiveDate;
use thesis_core::Ticker;

/// Why no records can be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NewsError {
    /// A configuration key out of range.
    #[error("news configuration, `{key}`: {reason}")]
    Config {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Sessions, or their closes, that do not ascend.
    #[error("prices of {ticker}: the session {date} does not close after the one before it")]
    Order {
        /// The stock.
        ticker: Ticker,
        /// The later of the two in the list.
        date: NaiveDate,
    },
    /// A close, or adjusted close, that is not above 0.
    #[error("prices of {ticker}: the close of {date}, {price}, is not above 0")]
    Price {
        /// The stock.
        ticker: Ticker,
        /// The session.
        date: NaiveDate,
        /// The price as given.
        price: f64,
    },
}
