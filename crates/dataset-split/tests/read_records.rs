//! Records out of data sets that the Python library wrote.

use std::path::Path;

use dataset_split::{DatasetRow, SplitError, read_records};
use hf_dataset::DatasetDict;
use thesis_core::Action;

fn rows(name: &str, split: &str) -> Result<Vec<DatasetRow>, SplitError> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/hf-dataset");
    read_records(&DatasetDict::open(&fixtures.join(name))?, split)?.collect()
}

#[test]
fn metadata_without_lines_and_no_indicators() {
    let rows = rows("reference", "train").unwrap();
    assert_eq!(rows.len(), 5);
    let DatasetRow { record, weight: None } = &rows[0] else { panic!("{:?}", rows[0]) };
    assert_eq!(record.uid, "TSLA|2025-07-01|1");
    assert_eq!(record.action, Action::Buy);
    assert_eq!(record.metadata.file, "raw_xml/file1.xml");
    assert_eq!(record.metadata.generated_by.as_deref(), Some("modelX-v1"));
    assert_eq!((record.metadata.line, record.metadata.version.as_deref()), (0, None));
    assert!(record.indicators.is_empty());
}

#[test]
fn every_spelling_of_the_same_rows() {
    let plain = rows("single", "train").unwrap();
    assert_eq!(plain.len(), 5);
    assert_eq!(plain[3].record.action, Action::StrongBuy);
    assert_eq!(plain[4].record.as_of_date.to_string(), "2024-01-05");
    for name in ["class-labels", "large-strings", "dates-date32", "dates-timestamp", "dictionary"] {
        assert_eq!(rows(name, "train").unwrap(), plain, "{name}");
    }
    assert_eq!(rows("shards", "train").unwrap()[..5], plain);
    assert_eq!(rows("parquet", "train").unwrap()[..3], plain[..3]);
}

#[test]
fn indicators_as_the_fields_of_a_struct() {
    let rows = rows("indicator-struct", "train").unwrap();
    let figures = |i: usize| rows[i].record.indicators.iter().collect::<Vec<_>>();
    assert_eq!(figures(0), [("RSI(14)", Some(41.5)), ("MACD", None), ("Volume", Some(12.0))]);
    assert_eq!(figures(1), [("RSI(14)", None), ("MACD", Some(-0.25)), ("Volume", Some(13.0))]);
    assert_eq!(rows[1].record.metadata.line, 3);
}

#[test]
fn columns_without_any_value() {
    let train = rows("nulls", "train").unwrap();
    assert!(train.iter().all(|row| row.record.indicators.is_empty() && row.weight == Some(0.5)));
    assert!(rows("nulls", "test").unwrap().is_empty());
}

#[test]
fn a_missing_column_is_named_with_those_found() {
    let error = rows("missing-column", "train").unwrap_err().to_string();
    assert_eq!(
        error,
        "split `train` has no column `output`; it has uid, ticker, as_of_date, instruction, \
         input, action"
    );
}
