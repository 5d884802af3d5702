//! Faulty input is refused with its lines, before anything is written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;

use dataset_split::{
    Balance, Boundaries, DEFAULT_SHARD_BYTES, DateBounds, Format, RecordIndex, SplitConfig,
    SplitError, WriteOptions, plan_splits, statistics, write_splits,
};
use tempfile::TempDir;
use thesis_core::AsOfDate;

const LINE: &str = r#"{"uid":"TSLA|2024-01-02|0","ticker":"TSLA","as_of_date":"2024-01-02","instruction":"i","input":"x","output":"o","action":"BUY","indicators":{},"metadata":{"file":"a.xml","line":1,"generated_by":null,"version":null}}"#;

fn line(index: usize) -> String {
    LINE.replace("|0", &format!("|{index}"))
}

fn read(text: &[u8]) -> (TempDir, Result<RecordIndex, SplitError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.jsonl");
    fs::write(&path, text).unwrap();
    (folder, RecordIndex::read(&path, &|_| ()))
}

fn check(text: impl AsRef<[u8]>, want: &[&str]) {
    let (folder, index) = read(text.as_ref());
    let error = index.unwrap_err().to_string();
    let error = error.replace(folder.path().to_str().unwrap(), "");
    for want in want {
        assert!(error.contains(want), "{error}");
    }
}

#[test]
fn lines_that_are_no_records() {
    check(format!("{}\n{{\n", line(0)), &["1 faulty line", "all.jsonl:2:1: error: EOF"]);
    check("null", &["all.jsonl:1:4: error: invalid type: null"]);
    check(line(0).replace("BUY", "MOON"), &["all.jsonl:1:", "unknown variant `MOON`"]);
    check(line(0).replace("2024-01-02\"", "soon\""), &["`soon` is not a date"]);
    check(line(0).replace("\"uid\"", "\"id\""), &["unknown field `id`"]);
    check(line(0).replace("\"output\":\"o\",", ""), &["missing field `output`"]);
    check(format!("{} {}", line(0), line(1)), &["trailing characters"]);
    check([LINE.as_bytes(), b"\n\xff\xfe\n"].concat(), &["all.jsonl:2:1"]);
    let bad_text = LINE.replace("\"x\"", "\"?\"").into_bytes();
    let bad_text: Vec<u8> =
        bad_text.into_iter().map(|b| if b == b'?' { 0xff } else { b }).collect();
    check(bad_text, &["all.jsonl:1:", "invalid unicode"]);
    check([0; 100], &["1 faulty line", "nothing was written"]);
}

#[test]
fn the_first_faults_are_listed_and_the_others_counted() {
    let lines: String =
        (1..=25).map(|i| if i % 2 == 0 { line(i) + "\n" } else { "x\n".into() }).collect();
    check(lines, &["13 faulty line", "all.jsonl:1:1", "all.jsonl:19:1", "and 3 more"]);
}

#[test]
fn a_uid_stands_once() {
    let text = format!("{}\n\n{}\n{}\n", line(1), line(0), line(1));
    check(text, &["1 faulty line", "all.jsonl:4:1", "uid `TSLA|2024-01-02|1` is that of line 1"]);
}

#[test]
fn files_without_records() {
    for text in ["", "\n", "\r\n\r\n", "\u{feff}", "  \n\t\n"] {
        assert!(matches!(read(text.as_bytes()).1, Err(SplitError::NoRecords)), "{text:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let missing = RecordIndex::read(&folder.path().join("none"), &|_| ());
    assert!(matches!(missing, Err(SplitError::Io { action: "open", .. })));
    let directory = RecordIndex::read(folder.path(), &|_| ());
    assert!(matches!(directory, Err(SplitError::Io { .. })));
}

#[test]
fn line_ends_of_any_kind() {
    for text in [
        format!("\u{feff}{}\r\n{}\r\n", line(0), line(1)),
        format!("{}\n{}", line(0), line(1)),
        format!("{}\n\n  {}  \n\n\n", line(0), line(1)),
    ] {
        let (_folder, index) = read(text.as_bytes());
        assert_eq!(index.unwrap().len(), 2, "{text:?}");
    }
}

#[test]
fn a_file_that_changes_is_noticed() {
    let (folder, index) = read(format!("{}\n{}\n", line(0), line(1)).as_bytes());
    let index = index.unwrap();
    let (_, last) = index.span().unwrap();
    let boundaries = Boundaries::LastDays { test_split_days: 1, val_days: 0 };
    let cut = SplitConfig { boundaries, embargo_days: 0 }.cut(last).unwrap();
    let plan = plan_splits(&index, cut, Balance::None);
    fs::write(index.path(), format!(" {}\n{}\n", line(0), line(1))).unwrap();
    let options = WriteOptions { format: Format::Arrow, max_shard_bytes: DEFAULT_SHARD_BYTES };
    let written = write_splits(&index, &plan, &folder.path().join("out"), &options, &|_| ());
    assert!(matches!(written, Err(SplitError::Changed { .. })), "{written:?}");
}

#[test]
fn a_leak_is_found_on_disk() {
    let later = line(1).replace("2024-01-02", "2024-01-03");
    let (folder, index) = read(format!("{}\n{later}\n", line(0)).as_bytes());
    let index = index.unwrap();
    let boundaries = Boundaries::LastDays { test_split_days: 1, val_days: 0 };
    let cut = SplitConfig { boundaries, embargo_days: 0 }.cut(index.span().unwrap().1).unwrap();
    let mut plan = plan_splits(&index, cut, Balance::None);
    let [train, test] = &mut plan.parts[..] else { panic!("{:?}", plan.parts) };
    std::mem::swap(&mut train.rows, &mut test.rows);
    let options = WriteOptions { format: Format::Parquet, max_shard_bytes: DEFAULT_SHARD_BYTES };
    let written = write_splits(&index, &plan, &folder.path().join("out"), &options, &|_| ());
    let want = "leak: train reaches to 2024-01-03, but test begins on 2024-01-02";
    assert_eq!(written.unwrap_err().to_string(), want);
}

#[test]
fn empty_splits_and_missing_classes_are_said() {
    let (_folder, index) = read(format!("{}\n", line(0)).as_bytes());
    let index = index.unwrap();
    let day = |text| AsOfDate::parse(text).unwrap();
    let boundaries = Boundaries::Dates(DateBounds::new(day("2024-01-02"), day("2024-01-09")));
    let warnings = |embargo_days| {
        let cut = SplitConfig { boundaries, embargo_days }.cut(day("2024-01-02")).unwrap();
        let statistics = statistics(&index, &plan_splits(&index, cut, Balance::None));
        statistics.warnings.iter().map(|w| format!("{w}\n")).collect::<String>()
    };
    expect_test::expect![[r#"
        split `train` has no record of STRONG_BUY, HOLD, SELL, STRONG_SELL: nothing about it can be learnt there
        split `validation` is empty: no record is dated 2024-01-03 to 2024-01-09
        split `test` is empty: no record is dated from 2024-01-10 on
    "#]]
    .assert_eq(&warnings(0));
    let embargoed = warnings(1);
    let want = "split `train` is empty: the embargo drops every record dated up to 2024-01-02 (1)";
    assert!(embargoed.contains(want), "{embargoed}");
}
