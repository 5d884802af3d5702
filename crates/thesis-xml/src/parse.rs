use serde::{Deserialize, Serialize};
use thesis_core::{AsOfDate, DateOrder, Diagnostic, Severity};

use crate::document::read_document;
use crate::encoding::decode;
use crate::outcome::{Parsed, Reject, RejectReason};
use crate::plain::read_plain;
use crate::read::{Collector, describe};
use crate::recover::recover;

/// What the reader cannot know from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParseOptions {
    /// Theses dated later than this are refused; `None` takes any date.
    pub as_of: Option<AsOfDate>,
    /// How dates such as `03/04/2021` are read.
    pub date_order: DateOrder,
}

/// Reads the theses of one file; `file` is its name in diagnostics.
///
/// The text may be UTF-8, UTF-16, or what its declaration names. A text that is not well-formed is
/// read thesis by thesis. Entities of a document type are unknown, and nothing outside of `bytes`
/// is ever read.
pub fn parse_theses(file: &str, bytes: &[u8], options: &ParseOptions) -> Parsed {
    let decoded = match decode(bytes) {
        Ok(decoded) => decoded,
        Err(label) => {
            return not_xml(
                file,
                (1, 1),
                format!("the file declares an unknown encoding `{label}`"),
            );
        }
    };
    let text = &*decoded.text;
    let mut collector = Collector::new(file, text, decoded.damaged, options);
    if read_plain(text, &mut collector).is_none() {
        collector = Collector::new(file, text, decoded.damaged, options);
        if let Err(error) = read_document(text, &mut collector) {
            let at = (u64::from(error.pos().row), u64::from(error.pos().col));
            let fault = describe(&error);
            if recover(text, &mut collector) == 0 {
                return not_xml(file, at, format!("the file is no XML: {fault}"));
            }
            let message =
                format!("the file is not well-formed ({fault}); its theses were read one by one");
            collector.parsed.diagnostics.insert(0, diagnostic(file, at, Severity::Error, message));
        }
    }
    if decoded.damaged {
        let at = text.find('\u{FFFD}').unwrap_or(0);
        let message = format!("the file has bytes that are no {} text", decoded.encoding);
        collector.note(Severity::Error, at, message);
    }
    let parsed = &collector.parsed;
    if parsed.theses.is_empty() && parsed.rejects.is_empty() {
        collector.note(Severity::Warning, 0, "the file holds no <thesis>".to_owned());
    }
    collector.parsed
}

fn not_xml(file: &str, at: (u64, u64), message: String) -> Parsed {
    let diagnostic = diagnostic(file, at, Severity::Error, message);
    let reject = Reject { reason: RejectReason::NotXml, diagnostic, raw: String::new() };
    Parsed { rejects: vec![reject], ..Parsed::default() }
}

fn diagnostic(file: &str, at: (u64, u64), severity: Severity, message: String) -> Diagnostic {
    Diagnostic { file: file.to_owned(), line: at.0, column: at.1, severity, message }
}

/// Panics where the quick reader and the document reader disagree about `bytes`: what the first
/// one accepts, the second one must read the same way.
#[doc(hidden)]
pub fn compare_readers(bytes: &[u8]) {
    let Ok(decoded) = decode(bytes) else { return };
    let options = ParseOptions::default();
    let mut plain = Collector::new("x", &decoded.text, decoded.damaged, &options);
    if read_plain(&decoded.text, &mut plain).is_some() {
        let mut document = Collector::new("x", &decoded.text, decoded.damaged, &options);
        let outcome = read_document(&decoded.text, &mut document);
        assert_eq!(outcome, Ok(()), "accepted by the quick reader");
        assert_eq!(plain.parsed, document.parsed);
    }
}
