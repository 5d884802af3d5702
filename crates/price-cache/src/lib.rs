//! Daily price bars: read from the text of a CSV export, and looked up by date.
//!
//! [`parse_csv`] gives bars in ascending order of date and a diagnostic for each row that it left
//! out. [`as_of`] and [`at_or_after`] find a session in them. [`session_close`] says when a session
//! of the New York Stock Exchange ended. This crate reads no file and looks at no clock.

mod bar_row;
mod columns;
mod early_closes;
mod line_fields;
mod lookup;
mod parse_csv;
mod session_close;

pub use lookup::{as_of, at_or_after};
pub use parse_csv::parse_csv;
pub use session_close::{CLOSES_KNOWN_UNTIL, close_instant, session_close};
