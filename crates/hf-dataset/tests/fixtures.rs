//! Reads what the Python library wrote; `fixtures/hf-dataset/README.md` says how.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use hf_dataset::{DatasetDict, SplitReader};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/hf-dataset").join(name)
}

fn open(name: &str) -> DatasetDict {
    DatasetDict::open(&fixture(name)).unwrap()
}

fn strings(split: &SplitReader, column: &str) -> Vec<String> {
    let batches = split.batches_of(&[column]).unwrap().map(Result::unwrap);
    batches
        .flat_map(|batch| {
            let values = batch.column(0).as_string::<i32>().clone();
            (0..values.len()).map(move |i| values.value(i).to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_data_set_that_the_format_was_read_from() {
    let dataset = open("reference");
    assert_eq!(dataset.splits(), ["train", "validation", "test"]);
    let rows = ["train", "validation", "test"].map(|name| dataset.split(name).unwrap().rows());
    assert_eq!(rows, [5, 2, 2]);
    let train = dataset.split("train").unwrap();
    assert_eq!(train.schema().field(7).name(), "metadata");
    assert_eq!(strings(&train, "uid")[0], "TSLA|2025-07-01|1");
}

#[test]
fn the_order_of_files_is_the_order_of_rows() {
    let train = open("shards").split("train").unwrap();
    assert_eq!((train.rows(), train.files().len()), (7, 3));
    let uids = strings(&train, "uid");
    assert!(uids.is_sorted() && uids.len() == 7, "{uids:?}");
}

#[test]
fn a_folder_of_one_split() {
    let dataset = open("single");
    assert_eq!(dataset.splits(), ["train"]);
    assert_eq!(dataset.split("train").unwrap().rows(), 5);
}

#[test]
fn class_labels_keep_their_names() {
    let train = open("class-labels").split("train").unwrap();
    let names = train.class_names("action").unwrap();
    assert_eq!(names, ["BUY", "HOLD", "SELL", "STRONG_BUY", "STRONG_SELL"]);
    assert_eq!(train.class_names("uid"), None);
}

#[test]
fn types_that_the_library_writes() {
    let check = |name: &str, column: &str, want: &DataType| {
        let train = open(name).split("train").unwrap();
        let batch = train.batches_of(&[column]).unwrap().next().unwrap().unwrap();
        assert_eq!(batch.num_rows() as u64, train.rows(), "{name}");
        let got = batch.schema().field(0).data_type().clone();
        assert!(got.equals_datatype(want), "{name}: {got}");
    };
    check("large-strings", "uid", &DataType::LargeUtf8);
    check("dates-date32", "as_of_date", &DataType::Date32);
    check("nulls", "metadata", &DataType::Null);
    let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    check("dictionary", "action", &coded);
}

#[test]
fn a_split_without_rows_has_no_file() {
    let test = open("nulls").split("test").unwrap();
    assert_eq!((test.rows(), test.files().len()), (0, 0));
    assert_eq!(test.batches().unwrap().count(), 0);
}

#[test]
fn parquet_files_make_splits_by_their_names() {
    let dataset = open("parquet");
    assert_eq!(dataset.splits(), ["train", "test"]);
    let train = dataset.split("train").unwrap();
    assert_eq!(train.rows(), 5);
    assert_eq!(strings(&train, "as_of_date")[3], "2024-02-01");
}
