//! What was written is what is read, in both formats and over several files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Builder, ListBuilder, RecordBatch, StringArray};
use hf_dataset::{
    DEFAULT_SHARD_BYTES, DatasetDict, Format, HfDatasetError, SplitFiles, SplitWriter,
    write_dataset_dict,
};

fn batch(first: i32, rows: i32) -> RecordBatch {
    let uids = (first..first + rows).map(|i| format!("row {i}")).collect::<Vec<_>>();
    let mut ids = ListBuilder::new(Int32Builder::new());
    for i in first..first + rows {
        ids.append_value((0..i % 4).map(Some));
    }
    let uids: ArrayRef = Arc::new(StringArray::from(uids));
    RecordBatch::try_from_iter([("uid", uids), ("ids", Arc::new(ids.finish()))]).unwrap()
}

fn write(
    folder: &Path,
    format: Format,
    max_shard_bytes: u64,
    batches: &[RecordBatch],
) -> SplitFiles {
    let schema = batch(0, 1).schema();
    let mut writer = SplitWriter::create(folder, "train", schema, format, max_shard_bytes).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    let files = writer.finish().unwrap();
    if format == Format::Arrow {
        write_dataset_dict(folder, &["train"]).unwrap();
    }
    files
}

fn read(folder: &Path) -> Vec<RecordBatch> {
    let train = DatasetDict::open(folder).unwrap().split("train").unwrap();
    train.batches().unwrap().map(Result::unwrap).collect()
}

#[test]
fn rows_come_back_in_order() {
    let batches = [batch(0, 900), batch(900, 100), batch(1000, 900)];
    for format in [Format::Arrow, Format::Parquet] {
        for max_shard_bytes in [1, 2_000, DEFAULT_SHARD_BYTES] {
            let folder = tempfile::tempdir().unwrap();
            let written = write(folder.path(), format, max_shard_bytes, &batches);
            assert_eq!(written.rows, 1900);
            assert_eq!(written.files.len() == 1, max_shard_bytes == DEFAULT_SHARD_BYTES);
            let got = read(folder.path());
            let all = |batches: &[RecordBatch]| {
                let data = batches.iter().map(|b| b.columns().to_vec()).collect::<Vec<_>>();
                let join = |i: usize| {
                    let parts: Vec<_> = data.iter().map(|columns| columns[i].as_ref()).collect();
                    arrow::compute::concat(&parts).unwrap()
                };
                [join(0), join(1)]
            };
            assert_eq!(all(&got), all(&batches), "{format:?} {max_shard_bytes}");
        }
    }
}

#[test]
fn no_arrow_file_outgrows_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let batches: Vec<_> = (0..40).map(|i| batch(i * 100, 100)).collect();
    let written = write(folder.path(), Format::Arrow, 20_000, &batches);
    assert!(written.files.len() > 5);
    for file in &written.files {
        assert!(file.bytes <= 20_000, "{file:?}");
        assert_eq!(file.bytes, fs::metadata(&file.path).unwrap().len());
    }
}

#[test]
fn the_fingerprint_follows_from_the_rows() {
    let fingerprint = |batches: &[RecordBatch]| {
        let folder = tempfile::tempdir().unwrap();
        let written = write(folder.path(), Format::Arrow, DEFAULT_SHARD_BYTES, batches);
        assert!(written.fingerprint.len() == 16);
        let state = fs::read_to_string(folder.path().join("train/state.json")).unwrap();
        assert!(state.contains(&format!("\"_fingerprint\": \"{}\"", written.fingerprint)));
        written.fingerprint
    };
    assert_eq!(fingerprint(&[batch(0, 3)]), fingerprint(&[batch(0, 3)]));
    assert_ne!(fingerprint(&[batch(0, 3)]), fingerprint(&[batch(1, 3)]));
}

#[test]
fn a_split_without_rows() {
    for format in [Format::Arrow, Format::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let written = write(folder.path(), format, DEFAULT_SHARD_BYTES, &[]);
        assert_eq!((written.rows, written.files.len()), (0, 1));
        assert!(read(folder.path()).is_empty());
        let train = DatasetDict::open(folder.path()).unwrap().split("train").unwrap();
        assert_eq!((train.rows(), train.schema().fields().len()), (0, 2));
    }
}

#[test]
fn a_split_is_never_written_over() {
    for format in [Format::Arrow, Format::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), format, DEFAULT_SHARD_BYTES, &[batch(0, 1)]);
        let again = SplitWriter::create(folder.path(), "train", batch(0, 1).schema(), format, 1);
        assert!(matches!(again, Err(HfDatasetError::Exists { .. })));
    }
}

#[test]
fn an_unfinished_split_is_no_split() {
    for format in [Format::Arrow, Format::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        let schema = batch(0, 1).schema();
        let mut writer = SplitWriter::create(folder.path(), "train", schema, format, 1).unwrap();
        writer.write(&batch(0, 1)).unwrap();
        drop(writer);
        let opened = DatasetDict::open(folder.path());
        assert!(matches!(opened, Err(HfDatasetError::NoDataset { .. })), "{opened:?}");
    }
}
