//! Any bytes: no panic, no hang, and both XML readers agree.
//!
//! `cargo +nightly fuzz run thesis_xml -- -dict=fuzz/thesis_xml.dict` with the seeds in
//! `fixtures/fuzz/thesis-xml`, which the ordinary tests replay.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    thesis_xml::compare_readers(bytes);
    let parsed = thesis_xml::parse_theses("fuzz.xml", bytes, &Default::default());
    let theses: Vec<_> = parsed.theses.into_iter().map(|located| located.thesis).collect();
    let again = thesis_xml::parse_theses("again.xml", thesis_xml::render_theses(&theses).as_bytes(), &Default::default());
    let again: Vec<_> = again.theses.into_iter().map(|located| located.thesis).collect();
    assert_eq!(again, theses);
});
