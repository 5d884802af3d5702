//! Prices and news to records, for desks that start from data and not from theses.
//!
//! [`parse_news_csv`] and [`parse_news_jsonl`] read news; [`news_records`] shows a model what was
//! known at a session's close and has it answer as a thesis does. This crate reads no file and looks
//! at no clock.
//!
//! # What a record may know
//! A news item has one time that counts, the instant at which it was published. It is known at a
//! close if it was published at or before that instant; [`news_records`] is given the instants of
//! closes, so that a half day ends when it did. A snapshot is made from slices that end at the
//! as-of session, and only the label looks at the sessions after it.
//!
//! # Which prices are shown
//! Sources rewrite the past: a later split or dividend rescales every earlier price of an adjusted
//! series, so a bare level tells what happened later. A ratio of two prices of one series does not
//! change. Everything in a record is therefore made of ratios to the as-of close: returns, and
//! levels on which that close stands at 100. Ratios use the adjusted closes where all bars involved
//! have one, so that a split or a dividend inside of the window is no loss; otherwise the closes.
//! [`Levels::Quoted`] puts the close as quoted in the place of 100. Only a source whose close is
//! not adjusted for splits may have it: from another, the level itself tells of later splits.

mod config;
mod csv_rows;
mod decimals;
mod error;
mod indicators;
mod input;
mod item;
mod item_order;
mod label;
mod news_records;
mod news_view;
mod parse_csv;
mod parse_jsonl;
mod price_window;
mod rationale;
mod read_item;
mod record;
mod reject;
mod sentiment;
mod sessions;
mod shorten;
mod snapshot;
mod stamp;

pub use config::{Levels, NewsConfig, Thresholds};
pub use error::NewsError;
pub use item::NewsItem;
pub use news_records::{GENERATED_BY, NewsRecords, Skip, news_records};
pub use parse_csv::parse_news_csv;
pub use parse_jsonl::parse_news_jsonl;
pub use reject::{Reject, RejectReason};
