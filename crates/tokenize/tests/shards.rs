//! Shards on disk: columns, packing, padding, counts.

use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, Int8Type, Int32Type};
use hf_dataset::{DatasetDict, write_dataset_dict};
use thesis_core::{Action, AsOfDate, Completion, Indicators, Provenance, Record, Ticker};
use tokenize::{
    IGNORED, ModelFiles, OnOverflow, Packing, Padding, PromptFormat, PromptOptions, RowOptions,
    Sample, ShardWriter, SplitReport, TokenizeError,
};

const MAX_LENGTH: usize = 160;

fn format() -> PromptFormat {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tokenizers/bpe");
    let files = ModelFiles::read(&folder).expect("the files are there");
    PromptFormat::new(&files, &PromptOptions::default()).expect("the fixture is sound")
}

fn sample(index: u32) -> Sample {
    let ticker = Ticker::new("TSLA").expect("a ticker");
    let date = AsOfDate::parse("2021-01-04").expect("a date");
    let action = Action::ALL[index as usize % 5];
    let completion =
        Completion { reasoning: "Up. ".repeat(index as usize % 7), support: "a".into(), action };
    let record = Record {
        uid: Record::uid(&ticker, date, index),
        ticker,
        as_of_date: date,
        instruction: "Call it.".into(),
        input: "RSI(14)=54.9\n".repeat(index as usize % 5),
        output: completion.to_string(),
        action,
        indicators: Indicators::default(),
        metadata: Provenance::default(),
    };
    Sample { record, weight: Some(index as f32) }
}

fn options(packing: Packing, padding: Padding) -> RowOptions {
    RowOptions { max_length: MAX_LENGTH, on_overflow: OnOverflow::Error, packing, padding }
}

fn write(folder: &Path, samples: &[Sample], chunk: usize, options: RowOptions) -> SplitReport {
    let format = format();
    let mut writer =
        ShardWriter::create(folder, "train", &format, options, true).expect("a writer");
    for chunk in samples.chunks(chunk) {
        writer.push(chunk).expect("samples that encode");
    }
    let report = writer.finish().expect("a split");
    write_dataset_dict(folder, &["train"]).expect("written");
    report
}

fn read(folder: &Path) -> Vec<RecordBatch> {
    let split = DatasetDict::open(folder).and_then(|dict| dict.split("train")).expect("a split");
    split.batches().expect("batches").collect::<Result<_, _>>().expect("rows")
}

fn ints(column: &dyn Array) -> Vec<i32> {
    match column.as_primitive_opt::<Int32Type>() {
        Some(ints) => ints.values().to_vec(),
        None => column.as_primitive::<Int8Type>().values().iter().map(|v| i32::from(*v)).collect(),
    }
}

/// The lists of a column.
fn lists(batches: &[RecordBatch], name: &str) -> Vec<Vec<i32>> {
    let of_batch = |batch: &RecordBatch| {
        let column = batch.column_by_name(name).expect("a column").as_list::<i32>().clone();
        column.iter().map(|row| ints(&row.expect("a list"))).collect::<Vec<_>>()
    };
    batches.iter().flat_map(of_batch).collect()
}

#[test]
fn one_example_a_row() {
    let dir = tempfile::tempdir().unwrap();
    let samples: Vec<_> = (0..1500).map(sample).collect();
    let report = write(dir.path(), &samples, 400, options(Packing::None, Padding::None));
    let batches = read(dir.path());
    let format = format();
    let (ids, labels) = (lists(&batches, "input_ids"), lists(&batches, "labels"));
    assert_eq!(ids.len(), samples.len());
    for (index, sample) in samples.iter().enumerate() {
        let target = format.target_ids(&sample.record.output).unwrap();
        let target: Vec<i32> = target.iter().map(|id| *id as i32).collect();
        assert!(ids[index].ends_with(&target));
        let learned: Vec<i32> = labels[index].iter().copied().filter(|l| *l != IGNORED).collect();
        assert_eq!(learned, target);
    }
    let masks = lists(&batches, "attention_mask");
    assert!(masks.iter().flatten().all(|mask| *mask == 1));
    let uids: Vec<&str> =
        batches.iter().flat_map(|b| b["uid"].as_string::<i32>().iter()).flatten().collect();
    assert!(uids.iter().eq(samples.iter().map(|sample| &sample.record.uid)));
    let weights = batches[0]["weight"].as_primitive::<Float32Type>();
    assert_eq!(weights.values()[..3], [0.0, 1.0, 2.0]);
    assert_eq!(batches[0]["action"].as_string::<i32>().value(4), "STRONG_SELL");

    let tokens: usize = ids.iter().map(Vec::len).sum();
    let targets = labels.iter().flatten().filter(|label| **label != IGNORED).count();
    assert_eq!((report.records, report.examples, report.rows), (1500, 1500, 1500));
    assert_eq!((report.tokens, report.target_tokens), (tokens as u64, targets as u64));
    let grid = (1500 * MAX_LENGTH) as f64;
    assert!((report.padding_share - (1.0 - tokens as f64 / grid)).abs() < 1e-12);
    assert_eq!(report.packing_efficiency, None);
}

#[test]
fn packed_rows_tell_their_examples_apart() {
    let samples: Vec<_> = (0..400).map(sample).collect();
    for padding in [Padding::None, Padding::MaxLength] {
        let dir = tempfile::tempdir().unwrap();
        let report = write(dir.path(), &samples, 400, options(Packing::Bfd, padding));
        let batches = read(dir.path());
        let ids = lists(&batches, "input_ids");
        let lengths = lists(&batches, "seq_lengths");
        let positions = lists(&batches, "position_ids");
        let (labels, masks) = (lists(&batches, "labels"), lists(&batches, "attention_mask"));
        assert_eq!(report.rows as usize, ids.len());
        assert!(ids.len() < 400);
        let mut seen = 0;
        for row in 0..ids.len() {
            let used = lengths[row].iter().sum::<i32>() as usize;
            assert!(used <= MAX_LENGTH);
            let padded = if padding == Padding::MaxLength { MAX_LENGTH } else { used };
            assert_eq!(ids[row].len(), padded);
            assert_eq!(masks[row].iter().filter(|mask| **mask == 1).count(), used);
            assert!(labels[row][used..].iter().all(|label| *label == IGNORED));
            assert!(ids[row][used..].iter().all(|id| *id == 0), "the pad token");
            let restarts: Vec<i32> = lengths[row].iter().flat_map(|length| 0..*length).collect();
            assert_eq!(positions[row][..used], restarts);
            seen += lengths[row].len();
        }
        assert_eq!(seen, 400);
        let places = (ids.len() * MAX_LENGTH) as f64;
        let efficiency = report.packing_efficiency.unwrap();
        assert!((efficiency - report.tokens as f64 / places).abs() < 1e-12 && efficiency > 0.9);
        assert!(batches[0]["uid"].as_list_opt::<i32>().is_some());
    }
}

#[test]
fn chunks_and_threads_change_no_byte() {
    let samples: Vec<_> = (0..2300).map(sample).collect();
    for packing in [Packing::None, Packing::Bfd] {
        let bytes = |chunk, threads| {
            let dir = tempfile::tempdir().expect("a folder");
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| write(dir.path(), &samples, chunk, options(packing, Padding::None)));
            std::fs::read(dir.path().join("train/data-00000-of-00001.arrow")).expect("a shard")
        };
        let one = bytes(2300, 1);
        assert!(one == bytes(7, 4) && one == bytes(1001, 2), "{packing:?}");
    }
}

#[test]
fn long_records_are_counted_by_policy() {
    let mut samples: Vec<_> = (0..10).map(sample).collect();
    samples[3].record.input = "Close=1.5\n".repeat(100);
    let long_output =
        Completion { reasoning: "Up. ".repeat(200), support: String::new(), action: Action::Buy };
    samples[7].record.output = long_output.to_string();
    let check = |on_overflow, want: [u64; 4]| {
        let dir = tempfile::tempdir().expect("a folder");
        let options = RowOptions { on_overflow, ..options(Packing::None, Padding::None) };
        let report = write(dir.path(), &samples, 10, options);
        let got = [report.examples, report.overflowing, report.shortened, report.dropped];
        assert_eq!(got, want, "{on_overflow:?}");
        assert_eq!(report.violates(&options), on_overflow == OnOverflow::Error);
        assert!(report.longest as usize > MAX_LENGTH);
        assert!(read(dir.path()).iter().all(|batch| batch.num_rows() as u64 == want[0]));
    };
    check(OnOverflow::Error, [8, 2, 0, 0]);
    check(OnOverflow::Drop, [8, 2, 0, 2]);
    check(OnOverflow::TruncateInput, [9, 2, 1, 1]);
}

#[test]
fn a_record_that_cannot_be_encoded_is_named() {
    let format = format();
    let dir = tempfile::tempdir().unwrap();
    let options = options(Packing::None, Padding::None);
    let mut writer = ShardWriter::create(dir.path(), "train", &format, options, false).unwrap();
    let mut samples = [sample(0), sample(1), sample(2)];
    samples[1].record.output = "no tags".into();
    samples[2].record.output = " ".into();
    let error = writer.push(&samples).unwrap_err();
    let TokenizeError::Record { uid, source } = error else { panic!("{error}") };
    assert_eq!(uid, "TSLA|2021-01-04|1");
    assert!(matches!(*source, TokenizeError::Output { .. }));
    assert!(matches!(format.target_ids(" "), Err(TokenizeError::NoTarget)));
}

#[test]
fn lengths_that_hold_nothing_are_refused() {
    let format = format();
    let dir = tempfile::tempdir().unwrap();
    for max_length in [0, 1, usize::MAX] {
        let options = RowOptions { max_length, ..options(Packing::None, Padding::None) };
        let writer = ShardWriter::create(dir.path(), "train", &format, options, false);
        assert!(matches!(writer.err(), Some(TokenizeError::MaxLength { .. })));
    }
}
