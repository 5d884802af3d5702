use std::io;
use std::path::PathBuf;

use chrono::NaiveDate;
use thesis_core::Ticker;

use crate::{Finding, SourceError};

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
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried: `read`, `lock`, …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A Parquet file that is damaged, or cannot be written.
    #[cfg(feature = "parquet")]
    #[error("cannot {action} {path} as Parquet")]
    Parquet {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A file that cannot be put in its place.
    #[cfg(feature = "parquet")]
    #[error(transparent)]
    Write(#[from] run_manifest::ManifestError),
    /// A Parquet file on whose damage its reader gave up without a word.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A file whose columns are not those of prices.
    #[error("{path}: {reason}")]
    Columns {
        /// The file.
        path: PathBuf,
        /// What is missing, or of the wrong type, and what is there.
        reason: String,
    },
    /// A file that names no ticker: neither a column nor its name does.
    #[error("{path} names no ticker: it has no column `ticker`, and its name is none")]
    NoTicker {
        /// The file.
        path: PathBuf,
    },
    /// A ticker that two files of a folder hold, at least one of them by its name.
    #[error("both {first} and {second} hold the prices of {ticker}")]
    TwoFiles {
        /// The ticker.
        ticker: Ticker,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A series that a check refuses, its policy being `fail`.
    #[error("{ticker}: {finding}{}", more_of(*.more))]
    Check {
        /// Whose series.
        ticker: Ticker,
        /// The first finding.
        finding: Finding,
        /// How many more there are.
        more: usize,
    },
    /// Days none of which is over.
    #[error("no session of {ticker} from {first} to {last} has ended yet")]
    NotFinished {
        /// The ticker.
        ticker: Ticker,
        /// First day asked for.
        first: NaiveDate,
        /// Last day asked for.
        last: NaiveDate,
    },
    /// No source has the ticker, or none could answer.
    #[error("no source gave prices of {ticker}: {}", listed(.reasons))]
    NoSource {
        /// The ticker.
        ticker: Ticker,
        /// What each source said, in the order they were asked.
        reasons: Vec<SourceError>,
    },
    /// An address that no question is sent to.
    #[error("`{url}` cannot be a service's address: {reason}")]
    BaseUrl {
        /// The address.
        url: String,
        /// Why not.
        reason: &'static str,
    },
    /// A folder without price files, or a file that is none.
    #[error("no prices in {path}: {reason}")]
    NoPrices {
        /// The file or folder.
        path: PathBuf,
        /// What was looked for.
        reason: &'static str,
    },
}

fn more_of(more: usize) -> String {
    if more > 0 { format!(" (and {more} more)") } else { String::new() }
}

fn listed(reasons: &[SourceError]) -> String {
    let reasons: Vec<String> = reasons.iter().map(SourceError::to_string).collect();
    reasons.join("; ")
}

#[cfg(feature = "parquet")]
pub(crate) fn io_error(
    action: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(io::Error) -> PriceError {
    let path = path.to_owned();
    move |source| PriceError::Io { action, path, source }
}

#[cfg(feature = "parquet")]
pub(crate) fn parquet_error<E: Into<parquet::errors::ParquetError>>(
    action: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(E) -> PriceError {
    let path = path.to_owned();
    move |source| PriceError::Parquet { action, path, source: source.into() }
}
