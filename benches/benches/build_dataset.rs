//! JSON lines to an index, and from there to splits, in bytes of JSON a second.
//!
//! Limit: each byte is read twice and written once, so a disk or page cache at 2 GB/s would allow
//! some 700 MB/s; parsing the JSON takes most of the rest.

mod common;

use std::fs;
use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dataset_split::{
    Balance, Boundaries, DEFAULT_SHARD_BYTES, Format, RecordIndex, SplitConfig, WriteOptions,
    plan_splits, write_splits,
};
use thesis_core::AsOfDate;

const ROWS: u32 = 20_000;

fn build_dataset(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("all.jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&path).expect("a file"));
    let (records, first) = (common::records(), AsOfDate::parse("2000-01-01").expect("a date"));
    for row in 0..ROWS {
        let mut record = records[row as usize % records.len()].clone();
        record.as_of_date = first.plus_days(row / 4);
        record.uid = format!("AAPL|{}|{}", record.as_of_date, row % 4);
        serde_json::to_writer(&mut file, &record).expect("a JSON line");
        file.write_all(b"\n").expect("a full disk?");
    }
    file.into_inner().expect("a full disk?");

    let mut group = criterion.benchmark_group("build-dataset");
    group.throughput(Throughput::Bytes(path.metadata().expect("the file").len())).sample_size(10);
    group.bench_function("index", |b| b.iter(|| RecordIndex::read(&path, &|_| {})));
    let index = RecordIndex::read(&path, &|_| {}).expect("records");
    let (_, last) = index.span().expect("dates");
    let boundaries = Boundaries::LastDays { test_split_days: 500, val_days: 500 };
    let cut = SplitConfig { boundaries, embargo_days: 5 }.cut(last).expect("a cut");
    let options = WriteOptions { format: Format::Arrow, max_shard_bytes: DEFAULT_SHARD_BYTES };
    let plan = plan_splits(&index, cut, Balance::None);
    group.bench_function("write and check", |b| {
        b.iter(|| {
            let out = tempfile::tempdir_in(folder.path()).expect("a temporary folder");
            write_splits(&index, &plan, out.path(), &options, &|_| {})
        });
    });
    group.finish();
}

criterion_group!(benches, build_dataset);
criterion_main!(benches);
