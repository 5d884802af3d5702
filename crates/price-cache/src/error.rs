use chrono::NaiveDate;

/// What can go wrong with prices as a whole; faults of single rows are diagnostics.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// A file that is no calendar.
    #[error("{file}:{line}: {reason}")]
    Calendar {
        /// The file, as the caller named it.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A bar without an adjusted close where all prices are to be adjusted.
    #[error("the bar of {date} has no adjusted close")]
    NotAdjustable {
        /// The bar's day.
        date: NaiveDate,
    },
}
