//! From lines to splits on disk and back: nothing leaks, nothing is lost, order does not matter.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use dataset_split::{
    Balance, Boundaries, Cut, DEFAULT_SHARD_BYTES, DateBounds, FoldMode, Format, Placement,
    RecordIndex, Split, SplitConfig, WalkForward, WriteOptions, plan_splits, read_records,
    statistics, walk_forward, write_splits,
};
use hf_dataset::DatasetDict;
use proptest::prelude::*;
use thesis_core::{Action, AsOfDate, Indicators, Provenance, Record, Ticker};

fn day(text: &str) -> AsOfDate {
    AsOfDate::parse(text).unwrap()
}

fn after(days: u32) -> AsOfDate {
    day("2020-02-25").plus_days(days)
}

/// The record number `index`, `days` after the first possible one.
fn record(index: usize, days: u32) -> Record {
    let (ticker, date) = (Ticker::new(["TSLA", "BRK.B"][index % 2]).unwrap(), after(days));
    let mut indicators = Indicators::default();
    for i in 0..index % 4 {
        indicators.insert(&format!("SMA({i})"), (i != 1).then_some(index as f64 / 8.0));
    }
    let action = Action::ALL[index * 7 % 5];
    Record {
        uid: Record::uid(&ticker, date, index as u32),
        ticker,
        as_of_date: date,
        instruction: "Judge.".to_owned(),
        input: format!("line {index}\n\"quoted\" — ü {}", "x".repeat(index % 11)),
        output: format!("<action>{action}</action>"),
        action,
        indicators,
        metadata: Provenance {
            file: "a/b.xml".to_owned(),
            line: index as u64,
            generated_by: index.is_multiple_of(2).then(|| "desk".to_owned()),
            version: None,
        },
    }
}

fn write_lines(path: &Path, records: &[Record]) {
    let lines = records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n");
    fs::write(path, lines.collect::<String>()).unwrap();
}

struct Outcome {
    splits: BTreeMap<Split, Vec<(Record, Option<f32>)>>,
    embargoed: u64,
    outside: u64,
}

fn split(records: &[Record], cut: &Cut, balance: Balance, format: Format) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.jsonl");
    write_lines(&path, records);
    let index = RecordIndex::read(&path, &|_| ()).unwrap();
    assert_eq!(index.len(), records.len());
    let plan = plan_splits(&index, cut.clone(), balance);
    let options = WriteOptions { format, max_shard_bytes: DEFAULT_SHARD_BYTES };
    let out = folder.path().join("out");
    let written = write_splits(&index, &plan, &out, &options, &|_| ()).unwrap();
    let statistics = statistics(&index, &plan);
    let dataset = DatasetDict::open(&out).unwrap();
    let mut splits = BTreeMap::new();
    for (part, files) in statistics.splits.iter().zip(&written) {
        let rows = read_records(&dataset, part.split.as_str()).unwrap();
        let rows: Vec<_> = rows.map(|row| row.map(|r| (r.record, r.weight)).unwrap()).collect();
        assert_eq!((part.rows, files.rows), (rows.len() as u64, rows.len() as u64));
        splits.insert(part.split, rows);
    }
    Outcome { splits, embargoed: statistics.embargoed, outside: statistics.outside }
}

fn by_dates(train_end: u32, val_end: u32, embargo_days: u32) -> Cut {
    let boundaries = Boundaries::Dates(DateBounds::new(after(train_end), after(val_end)));
    SplitConfig { boundaries, embargo_days }.cut(after(0)).unwrap()
}

fn uids(rows: &[(Record, Option<f32>)]) -> Vec<&str> {
    rows.iter().map(|(record, _)| record.uid.as_str()).collect()
}

/// No date of a split reaches one of a later split, embargo included.
fn check_no_leak(splits: &BTreeMap<Split, Vec<AsOfDate>>, embargo_days: u32) {
    let filled: Vec<_> = splits.values().filter(|dates| !dates.is_empty()).collect();
    for (i, earlier) in filled.iter().enumerate() {
        for later in &filled[i + 1..] {
            let last = earlier.iter().max().unwrap();
            assert!(last.plus_days(embargo_days) < *later.iter().min().unwrap());
        }
    }
}

#[test]
fn records_come_back_as_they_were_in_both_formats() {
    let records: Vec<_> = (0..40).map(|i| record(i, i as u32 / 2)).collect();
    for format in [Format::Arrow, Format::Parquet] {
        let outcome = split(&records, &by_dates(9, 14, 0), Balance::None, format);
        let all = outcome.splits.values().flatten().map(|(record, _)| record);
        assert!(all.eq(&records), "{format:?}");
        assert_eq!(outcome.splits.values().map(Vec::len).collect::<Vec<_>>(), [20, 10, 10]);
    }
}

#[test]
fn weights_stand_in_training_alone() {
    let records: Vec<_> = (0..30).map(|i| record(i, i as u32)).collect();
    let outcome = split(&records, &by_dates(11, 20, 0), Balance::Weights, Format::Arrow);
    let train = &outcome.splits[&Split::Train];
    let count = |action| train.iter().filter(|(r, _)| r.action == action).count();
    for (record, weight) in train {
        assert_eq!(*weight, Some(12.0 / (5.0 * count(record.action) as f32)));
    }
    let others = [&outcome.splits[&Split::Validation], &outcome.splits[&Split::Test]];
    assert!(others.into_iter().flatten().all(|(_, weight)| *weight == Some(1.0)));
}

#[test]
fn oversampling_repeats_rows_of_training_alone() {
    let records: Vec<_> = (0..30).map(|i| record(i, i as u32)).collect();
    let outcome = split(&records, &by_dates(11, 20, 0), Balance::Oversample, Format::Arrow);
    let train = &outcome.splits[&Split::Train];
    assert_eq!(train.len(), 15);
    assert!(train.is_sorted_by_key(|(record, _)| record.as_of_date));
    assert_eq!(outcome.splits[&Split::Validation].len(), 9);
    assert_eq!(uids(train).into_iter().collect::<BTreeSet<_>>().len(), 12);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.jsonl");
    write_lines(&path, &(0..5000).map(|i| record(i, i as u32 % 97)).collect::<Vec<_>>());
    let options = WriteOptions { format: Format::Arrow, max_shard_bytes: 200_000 };
    let written = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let out = folder.path().join(threads.to_string());
        pool.install(|| {
            let index = RecordIndex::read(&path, &|_| ()).unwrap();
            let plan = plan_splits(&index, by_dates(40, 60, 3), Balance::Oversample);
            let written = write_splits(&index, &plan, &out, &options, &|_| ()).unwrap();
            let digests = written.into_iter().flat_map(|s| s.files).map(|file| file.blake3);
            (index.blake3().to_owned(), digests.collect::<Vec<_>>())
        })
    });
    assert_eq!(written[0], written[1]);
    assert!(written[0].1.len() > 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_record_is_in_one_split_or_under_embargo(
        days in prop::collection::vec(0u32..60, 1..80),
        train_end in 0u32..60,
        val_days in 1u32..30,
        embargo_days in 0u32..12,
        seed in any::<u64>(),
    ) {
        let records: Vec<_> = days.iter().enumerate().map(|(i, days)| record(i, *days)).collect();
        let cut = by_dates(train_end, train_end + val_days, embargo_days);
        let outcome = split(&records, &cut, Balance::None, Format::Arrow);

        let dates = outcome.splits.iter().map(|(split, rows)| {
            (*split, rows.iter().map(|(record, _)| record.as_of_date).collect())
        });
        check_no_leak(&dates.collect(), embargo_days);
        let mut placed: Vec<_> = outcome.splits.values().flat_map(|rows| uids(rows)).collect();
        prop_assert_eq!(placed.len() as u64 + outcome.embargoed, records.len() as u64);
        prop_assert_eq!(outcome.outside, 0);
        placed.sort_unstable();
        placed.dedup();
        prop_assert_eq!(placed.len() as u64 + outcome.embargoed, records.len() as u64);
        for rows in outcome.splits.values() {
            prop_assert!(rows.is_sorted_by_key(|(record, _)| record.as_of_date));
        }

        let mut shuffled = records;
        let mut state = seed;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        let again = split(&shuffled, &cut, Balance::None, Format::Arrow);
        for (split, rows) in &outcome.splits {
            let members = |rows| uids(rows).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
            prop_assert_eq!(members(rows), members(&again.splits[split]));
        }
    }

    #[test]
    fn no_fold_leaks(
        days in prop::collection::vec(0u32..400, 2..60),
        expanding in any::<bool>(),
        train_days in 1u32..60,
        val_days in 0u32..20,
        test_days in 1u32..40,
        step_days in 1u32..50,
        embargo_days in 0u32..10,
    ) {
        let mode = if expanding { FoldMode::Expanding } else { FoldMode::Rolling };
        let config = WalkForward { mode, train_days, val_days, test_days, step_days, embargo_days };
        let dates: Vec<_> = days.iter().map(|days| after(*days)).collect();
        let Ok(folds) = walk_forward(&dates, &config) else {
            let span = days.iter().max().unwrap() - days.iter().min().unwrap() + 1;
            let long_embargo = embargo_days >= train_days || (val_days > 0 && embargo_days >= val_days);
            prop_assert!(long_embargo || span < train_days + val_days + test_days);
            return Ok(());
        };
        prop_assert!(!folds.is_empty());
        let (first, last) = (dates.iter().min().unwrap(), dates.iter().max().unwrap());
        for (i, fold) in folds.iter().enumerate() {
            let mut splits = BTreeMap::new();
            for date in (0..400).map(after) {
                if let Placement::In(split) = fold.cut.place(date) {
                    splits.entry(split).or_insert_with(Vec::new).push(date);
                }
            }
            check_no_leak(&splits, embargo_days);
            prop_assert_eq!(splits.len(), fold.cut.splits().count());
            prop_assert_eq!(splits[&Split::Test].len() as u32, test_days);
            prop_assert!(splits[&Split::Train].first() >= Some(first));
            prop_assert!(splits[&Split::Test].last() <= Some(last));
            let train = splits[&Split::Train].len() as u32 + embargo_days;
            let grown = if expanding { i as u32 * step_days } else { 0 };
            prop_assert_eq!(train, train_days + grown);
        }
    }
}
