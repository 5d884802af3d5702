//! Daily price bars: where they come from, how they are kept, and how they are looked up.
//!
//! Without features the crate touches no file, network or clock: [`parse_csv`] reads the text of an
//! export, [`check_bars`] finds bars that cannot be, [`adjusted`] brings all four prices to the
//! adjusted close, [`as_of`], [`at_or_after`] and [`forward_return`] look up by date, [`Calendar`]
//! knows an exchange's sessions, and [`session_close`] says when one ended in New York.
//!
//! - `parquet`: [`load_prices`] reads folders and files of CSV or Parquet; [`PriceCache`] keeps one
//!   Parquet file a ticker and asks each [`PriceSource`] for what is missing; [`FileSource`] is
//!   files as a source.
//! - `http`: the sources [`Eodhd`] and [`Yahoo`], over an [`HttpClient`].
//!
//! A new price source is one file with an implementation of [`PriceSource`]; a new export's column
//! name is a word in `columns.rs`.

#![cfg_attr(
    not(all(feature = "parquet", feature = "http")),
    allow(rustdoc::broken_intra_doc_links, reason = "without features, links lead nowhere")
)]

mod adjustment;
#[cfg(feature = "http")]
mod api_key;
mod bar_row;
#[cfg(feature = "parquet")]
mod cache;
mod calendar;
mod checks;
mod columns;
mod compact_day;
mod corporate_action;
#[cfg(feature = "parquet")]
mod date_ranges;
mod early_closes;
#[cfg(feature = "http")]
mod eodhd;
mod error;
#[cfg(feature = "parquet")]
mod file_source;
#[cfg(feature = "http")]
mod http;
mod line_fields;
#[cfg(feature = "parquet")]
mod load;
#[cfg(feature = "parquet")]
mod load_calendar;
mod lookup;
#[cfg(feature = "parquet")]
mod parquet_dates;
#[cfg(feature = "parquet")]
mod parquet_rows;
mod parse_csv;
#[cfg(feature = "parquet")]
mod price_file;
mod series;
mod session_close;
mod source;
#[cfg(feature = "http")]
mod yahoo;

pub use adjustment::{Adjustment, adjusted};
#[cfg(feature = "http")]
pub use api_key::ApiKey;
#[cfg(feature = "parquet")]
pub use cache::{Note, PriceCache, Update, UpdateSettings};
pub use calendar::{Calendar, Sessions};
pub use checks::{Check, CheckConfig, Finding, Policy, check_bars};
pub use corporate_action::CorporateAction;
#[cfg(feature = "parquet")]
pub use date_ranges::DateRanges;
#[cfg(feature = "http")]
pub use eodhd::Eodhd;
pub use error::PriceError;
#[cfg(feature = "parquet")]
pub use file_source::FileSource;
#[cfg(feature = "http")]
pub use http::{Clock, HttpClient, HttpSettings, SystemClock};
#[cfg(feature = "parquet")]
pub use load::{LoadOptions, Prices, load_prices};
#[cfg(feature = "parquet")]
pub use load_calendar::load_calendar;
pub use lookup::{ReturnPrice, as_of, at_or_after, forward_return};
pub use parse_csv::{parse_csv, parse_csv_by_ticker};
#[cfg(feature = "parquet")]
pub use price_file::{PriceFile, PriceMeta};
pub use session_close::{CLOSES_KNOWN_UNTIL, close_instant, session_close};
pub use source::{Fetched, PriceSource, SourceError};
#[cfg(feature = "http")]
pub use yahoo::Yahoo;
