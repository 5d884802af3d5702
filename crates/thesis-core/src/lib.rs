//! The words every Thesisforge crate speaks: tickers, actions, dates, theses, records, predictions,
//! units and diagnostics.
//!
//! This crate reads no file, opens no connection and looks at no clock. A value that exists is
//! valid: constructors return a [`Result`], and serde goes through the same constructors.

mod action;
mod answer;
mod bar;
mod completion;
mod date;
mod diagnostic;
mod error;
mod indicators;
mod prediction;
mod record;
mod template;
mod thesis;
mod ticker;
mod units;

pub use action::Action;
pub use answer::{AnswerOutcome, ParsedAnswer, parse_answer};
pub use bar::Bar;
pub use completion::{Completion, SUPPORT_SEPARATOR, StructureTag};
pub use date::{AsOfDate, DateOrder};
pub use diagnostic::{Diagnostic, Reject, Severity};
pub use error::CoreError;
pub use indicators::{Indicators, ParsedNumber, parse_number};
pub use prediction::{ActionProbabilities, Prediction};
pub use record::{Provenance, Record};
pub use template::{RecordTemplate, TemplateContext};
pub use thesis::Thesis;
pub use ticker::Ticker;
pub use units::{Bps, Usd, Weight};
