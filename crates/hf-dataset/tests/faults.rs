//! Damaged data sets are refused, with the path and with what to do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use hf_dataset::{
    DEFAULT_SHARD_BYTES, DatasetDict, Format, HfDatasetError, SplitWriter, write_dataset_dict,
};
use tempfile::TempDir;

fn batch(column: &str) -> RecordBatch {
    let values = StringArray::from_iter_values((0..50).map(|i| i.to_string()));
    RecordBatch::try_from_iter([(column, Arc::new(values) as _)]).unwrap()
}

fn dataset(format: Format) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let schema = batch("uid").schema();
    let mut writer = SplitWriter::create(folder.path(), "train", schema, format, 1).unwrap();
    for _ in 0..3 {
        writer.write(&batch("uid")).unwrap();
    }
    writer.finish().unwrap();
    if format == Format::Arrow {
        write_dataset_dict(folder.path(), &["train"]).unwrap();
    }
    folder
}

fn read(folder: &Path) -> Result<usize, HfDatasetError> {
    let batches = DatasetDict::open(folder)?.split("train")?.batches()?;
    batches.map(|batch| batch.map(|batch| batch.num_rows())).sum()
}

fn check(folder: &Path, want: &str) {
    let error = read(folder).unwrap_err().to_string();
    assert!(error.contains(want), "{error}");
    assert!(error.contains(folder.to_str().unwrap()), "{error}");
}

#[test]
fn folders_that_are_no_data_set() {
    let empty = tempfile::tempdir().unwrap();
    check(empty.path(), "holds no data set");
    check(&empty.path().join("nowhere"), "cannot open data set");
    fs::create_dir(empty.path().join("data")).unwrap();
    fs::write(empty.path().join("data/notes.parquet"), "").unwrap();
    check(empty.path(), "holds no data set");
}

#[test]
fn files_that_are_missing() {
    for file in ["train/state.json", "train/data-00001-of-00003.arrow"] {
        let folder = dataset(Format::Arrow);
        fs::remove_file(folder.path().join(file)).unwrap();
        check(folder.path(), &format!("{file} is missing"));
    }
    for (removed, missing) in [(0, 0), (1, 1), (2, 2)] {
        let folder = dataset(Format::Parquet);
        let name = |i| format!("data/train-{i:05}-of-00003.parquet");
        fs::remove_file(folder.path().join(name(removed))).unwrap();
        check(folder.path(), &format!("{} is missing", name(missing)));
    }
}

#[test]
fn json_that_is_none() {
    for file in ["dataset_dict.json", "train/state.json", "train/dataset_info.json"] {
        let folder = dataset(Format::Arrow);
        fs::write(folder.path().join(file), "{\"splits\": 3").unwrap();
        check(folder.path(), &format!("{file} is damaged"));
    }
}

#[test]
fn an_arrow_file_may_end_nowhere_early() {
    let folder = dataset(Format::Arrow);
    let path = folder.path().join("train/data-00002-of-00003.arrow");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = read(folder.path()).unwrap_err();
        assert!(matches!(error, HfDatasetError::Truncated { .. }), "{length}: {error}");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(read(folder.path()).unwrap(), 150);
}

#[test]
fn rubbish_is_an_error_and_no_panic() {
    for (format, file) in [
        (Format::Arrow, "train/data-00000-of-00003.arrow"),
        (Format::Parquet, "data/train-00000-of-00003.parquet"),
    ] {
        let folder = dataset(format);
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        for text in ["", "uid\nrow 1\n", "\u{0}\u{0}\u{0}\u{0}", "ARROW1\u{0}\u{0}rest"] {
            fs::write(&path, text).unwrap();
            read(folder.path()).unwrap_err();
        }
        // A changed byte may leave the data readable, but must not end the program.
        for at in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            fs::write(&path, bytes).unwrap();
            let _ = read(folder.path());
        }
    }
}

#[test]
fn files_and_batches_of_other_columns() {
    let folder = dataset(Format::Arrow);
    let other = dataset(Format::Arrow);
    let mut writer = SplitWriter::create(
        other.path(),
        "other",
        batch("id").schema(),
        Format::Arrow,
        DEFAULT_SHARD_BYTES,
    )
    .unwrap();
    let error = writer.write(&batch("uid")).unwrap_err();
    assert!(matches!(error, HfDatasetError::SchemaMismatch { .. }), "{error}");
    writer.write(&batch("id")).unwrap();
    writer.finish().unwrap();
    let stray = other.path().join("other/data-00000-of-00001.arrow");
    fs::copy(stray, folder.path().join("train/data-00001-of-00003.arrow")).unwrap();
    check(folder.path(), "expected uid Utf8, got id Utf8");
}

#[test]
fn names_that_are_not_there() {
    let folder = dataset(Format::Arrow);
    let dataset = DatasetDict::open(folder.path()).unwrap();
    let error = dataset.split("test").unwrap_err().to_string();
    assert!(error.contains("no split `test`; it has train"), "{error}");
    let error = dataset.split("train").unwrap().batches_of(&["output"]).err().unwrap().to_string();
    assert!(error.contains("no column `output`; it has uid"), "{error}");
    let error = write_dataset_dict(folder.path(), &["../x"]).unwrap_err().to_string();
    assert!(error.contains("`../x` is no split name"), "{error}");
}
