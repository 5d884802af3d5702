//! XML theses to theses, and theses to records and back.
//!
//! Bad text is data here: [`parse_theses`] returns what it could read and a [`Reject`] for each
//! thesis that it could not; it never fails, and it reads no file, no network and no clock.
//!
//! ```
//! use thesis_xml::{ParseOptions, parse_theses};
//!
//! let xml = br#"<stock-theses ticker="TSLA">
//!   <thesis>
//!     <as-of-date>24 Oct 2023</as-of-date>
//!     <reasoning>Demand is rising.</reasoning> <action>overweight</action>
//!   </thesis>
//!   <thesis><as-of-date>2023-10-25</as-of-date><reasoning>?</reasoning><action>moon</action></thesis>
//! </stock-theses>"#;
//! let parsed = parse_theses("tsla.xml", xml, &ParseOptions::default());
//! assert_eq!(parsed.theses.len(), 1);
//! assert!(parsed.rejects[0].diagnostic.to_string().starts_with("tsla.xml:6:70: error: unknown action `moon`"));
//! ```

mod document;
mod encoding;
mod identity;
mod outcome;
mod parse;
mod plain;
mod position;
mod read;
mod record;
mod recover;
mod render;
mod text;
mod tree;

pub use identity::content_digest;
pub use outcome::{Located, Parsed, Reject, RejectReason};
pub use parse::{ParseOptions, compare_readers, parse_theses};
pub use record::{record_from_thesis, thesis_from_record};
pub use render::render_theses;
