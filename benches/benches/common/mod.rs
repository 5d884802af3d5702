//! The records of the fixture's theses, for every bench.

use std::fs;
use std::path::{Path, PathBuf};

use thesis_core::{Record, RecordTemplate};
use thesis_xml::{ParseOptions, parse_theses, record_from_thesis};

/// A file or folder of `fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// The 30 records of one file of theses.
pub(crate) fn records() -> Vec<Record> {
    let xml = fs::read(fixture("theses/AAPL.xml")).expect("the fixture is there");
    let template = RecordTemplate::default();
    let parsed = parse_theses("AAPL.xml", &xml, &ParseOptions::default());
    let theses = parsed.theses.into_iter();
    theses.map(|located| record_from_thesis(located, "AAPL.xml", 0, &template)).collect()
}
