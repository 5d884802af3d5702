//! XML to theses to records, in bytes of XML a second on one thread.
//!
//! Limit: the text is looked at about five times (digest, encoding, control characters, tags,
//! lines), so memory at 20 GB/s would allow some 4 GB/s. What is measured is far below: the time
//! goes into the many short strings of a thesis, not into bytes.

mod common;

use std::fs;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thesis_core::RecordTemplate;
use thesis_xml::{ParseOptions, content_digest, parse_theses, record_from_thesis};

fn ingest(criterion: &mut Criterion) {
    let xml = fs::read(common::fixture("theses/AAPL.xml")).expect("the fixture is there");
    // A namespace sends the file to the document reader: the same theses, the slow way.
    let namespaced =
        String::from_utf8_lossy(&xml).replace("<stock-theses", "<stock-theses xmlns:t=\"t\"");
    let options = ParseOptions::default();
    let template = RecordTemplate::default();

    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Bytes(xml.len() as u64));
    group.bench_function("parse", |b| b.iter(|| parse_theses("x", black_box(&xml), &options)));
    group.bench_function("parse, document reader", |b| {
        b.iter(|| parse_theses("x", black_box(namespaced.as_bytes()), &options));
    });
    group.bench_function("parse and digest", |b| {
        b.iter(|| {
            let parsed = parse_theses("x", black_box(&xml), &options);
            let digests = parsed.theses.iter().map(|located| content_digest(&located.thesis));
            digests.fold(0, u128::wrapping_add)
        });
    });
    group.bench_function("parse and render", |b| {
        b.iter(|| {
            let parsed = parse_theses("x", black_box(&xml), &options);
            let theses = parsed.theses.into_iter();
            let records = theses.map(|located| record_from_thesis(located, "x", 0, &template));
            records.map(|record| record.input.len()).sum::<usize>()
        });
    });
    let records = common::records();
    group.bench_function("records to JSON lines", |b| {
        let line = |record| serde_json::to_string(record).map_or(0, |line| line.len());
        b.iter(|| black_box(&records).iter().map(line).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, ingest);
criterion_main!(benches);
