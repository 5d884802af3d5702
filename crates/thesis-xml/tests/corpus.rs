//! The fuzz target's seeds, and what it found, replayed on every test run.

use std::fs;
use std::path::Path;

use thesis_xml::{compare_readers, parse_theses, render_theses};

#[test]
fn every_seed_ends_well() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz/thesis-xml");
    let mut seeds = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        compare_readers(&bytes);
        let parsed = parse_theses("seed", &bytes, &Default::default());
        let said = parsed.theses.len() + parsed.rejects.len() + parsed.diagnostics.len();
        assert!(said > 0, "{} gave nothing, and no word about it", path.display());
        let theses: Vec<_> = parsed.theses.into_iter().map(|located| located.thesis).collect();
        let again = parse_theses("again", render_theses(&theses).as_bytes(), &Default::default());
        let again: Vec<_> = again.theses.into_iter().map(|located| located.thesis).collect();
        assert_eq!(again, theses, "{}", path.display());
        seeds += 1;
    }
    assert!(seeds > 10, "the corpus is missing");
}
