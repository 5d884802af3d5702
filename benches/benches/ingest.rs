//! XML to theses to JSON lines, in bytes of XML a second on one thread.
//!
//! Limit: the text is read about three times (control characters, tags, digest), so memory at
//! 20 GB/s would allow some 6 GB/s. What is measured is far below: the time goes into the many
//! short strings of a thesis, not into bytes.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thesis_core::RecordTemplate;
use thesis_xml::{ParseOptions, content_digest, parse_theses, record_from_thesis};

fn ingest(criterion: &mut Criterion) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/theses/AAPL.xml");
    let xml = fs::read(&file).expect("the fixture is there");
    // A namespace sends the file to the document reader: the same theses, the slow way.
    let namespaced =
        String::from_utf8_lossy(&xml).replace("<stock-theses", "<stock-theses xmlns:t=\"t\"");
    let options = ParseOptions::default();
    let template = RecordTemplate::default();

    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Bytes(xml.len() as u64));
    group.bench_function("parse", |b| {
        b.iter(|| parse_theses("x", black_box(&xml), &options));
    });
    group.bench_function("parse, document reader", |b| {
        b.iter(|| parse_theses("x", black_box(namespaced.as_bytes()), &options));
    });
    group.bench_function("parse and digest", |b| {
        b.iter(|| {
            let parsed = parse_theses("x", black_box(&xml), &options);
            parsed
                .theses
                .iter()
                .map(|located| content_digest(&located.thesis))
                .fold(0, u128::wrapping_add)
        });
    });
    group.bench_function("parse and render", |b| {
        b.iter(|| {
            let parsed = parse_theses("x", black_box(&xml), &options);
            let records = parsed
                .theses
                .into_iter()
                .map(|located| record_from_thesis(located, "x", 0, &template));
            records.filter(Result::is_ok).count()
        });
    });
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
