//! The binary as a person meets it: exit codes, messages, and the files that it leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hf_dataset::DatasetDict;
use serde_json::Value;
use tempfile::TempDir;

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &TempDir, args: &[&str]) -> Run {
    run_with(folder, args, &[])
}

/// Runs with these variables and none that the tester may have.
fn run_with(folder: &TempDir, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_build-dataset"));
    for name in ["TRAIN_START_DATE", "TRAIN_END_DATE", "TEST_START_DATE", "TEST_END_DATE"] {
        command.env_remove(name);
    }
    let variables = variables.iter().copied();
    let output = command.current_dir(folder.path()).args(args).envs(variables).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn fails(folder: &TempDir, args: &[&str], code: i32, want: &[&str]) {
    let run = run(folder, args);
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{}", run.stderr);
    for want in want {
        assert!(run.stderr.contains(want), "{want}: {}", run.stderr);
    }
    let left = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A folder with `all.jsonl`: a record a day over all of 2024, of two tickers and five classes.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    let days = (1..=12).flat_map(|month| (1..=28).map(move |day| (month, day)));
    for (i, (month, day)) in days.enumerate() {
        let ticker = ["TSLA", "AAPL"][i % 2];
        let action = ["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL", "HOLD"][i % 6];
        lines += &format!(
            r#"{{"uid":"{ticker}|2024-{month:02}-{day:02}|0","ticker":"{ticker}","as_of_date":"2024-{month:02}-{day:02}","instruction":"i","input":"x","output":"o","action":"{action}","indicators":{{"RSI(14)":{i}.5,"MACD":null}},"metadata":{{"file":"a.xml","line":{i},"generated_by":null,"version":null}}}}"#
        );
        lines.push('\n');
    }
    fs::write(folder.path().join("all.jsonl"), lines).unwrap();
    folder
}

const INTO: [&str; 4] = ["--jsonl", "all.jsonl", "--out-dir", "out"];
const BY_DATES: [&str; 4] = ["--train-end", "2024-09-28", "--val-end", "2024-10-28"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    INTO.iter().chain(more).copied().collect()
}

fn rows(dataset: &Path) -> Vec<(String, u64)> {
    let dataset = DatasetDict::open(dataset).unwrap();
    let rows = |name: &String| (name.clone(), dataset.split(name).unwrap().rows());
    dataset.splits().iter().map(rows).collect()
}

fn split_rows(train: u64, validation: u64, test: u64) -> Vec<(String, u64)> {
    let splits = [("train", train), ("validation", validation), ("test", test)];
    splits.map(|(name, rows)| (name.to_owned(), rows)).to_vec()
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_data_set_with_its_statistics_and_manifest() {
    let folder = folder();
    let args = [&BY_DATES[..], &["--embargo-days", "3", "--balance", "weights"]].concat();
    let run = run(&folder, &with(&args));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
    let out = folder.path().join("out");
    assert_eq!(rows(&out), split_rows(249, 25, 56));
    let statistics = json(out.join("statistics.json"));
    assert_eq!(statistics["records"], 336);
    assert_eq!(statistics["splits"][0]["last_date"], "2024-09-25");
    assert_eq!(statistics["splits"][0]["embargoed"], 3);
    let manifest = json(out.join("manifest.json"));
    assert_eq!(manifest["stage"], "build-dataset");
    assert_eq!(manifest["inputs"][0]["path"], "all.jsonl");
    let digest = manifest["inputs"][0]["digest"].as_str().unwrap();
    assert!(digest.starts_with("blake3:") && digest.len() == 7 + 64);
    assert_eq!(manifest["config"]["balance"], "weights");
    assert!(run.stderr.is_empty(), "{}", run.stderr);
}

#[test]
fn the_same_bytes_from_any_number_of_threads() {
    let folder = folder();
    let state = |threads| {
        let args = [&BY_DATES[..], &["--threads", threads]].concat();
        assert_eq!(run(&folder, &with(&args)).code, 0);
        fs::read_to_string(folder.path().join("out/train/state.json")).unwrap()
    };
    assert_eq!(state("1"), state("3"));
}

#[test]
fn days_are_counted_back_and_parquet_is_written() {
    let folder = folder();
    let args = ["--test-split-days", "28", "--val-days", "30", "--format", "parquet"];
    assert_eq!(run(&folder, &with(&args)).code, 0);
    let out = folder.path().join("out");
    assert_eq!(rows(&out), split_rows(280, 28, 28));
    assert!(out.join("data/validation-00000-of-00001.parquet").exists());
}

#[test]
fn folds_are_a_data_set_each() {
    let folder = folder();
    let args = ["--folds", "rolling", "--fold-train-days", "120", "--fold-test-days", "60"];
    let run = run(&folder, &with(&[&args[..], &["--fold-step-days", "60"]].concat()));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
    let folds = json(folder.path().join("out/folds.json"));
    assert_eq!(folds.as_array().unwrap().len(), 4);
    assert_eq!(folds[3]["name"], "fold-003");
    assert_eq!(folds[3]["days"]["test"]["first"], "2024-10-27");
    for fold in folds.as_array().unwrap() {
        let of_fold = folder.path().join("out").join(fold["name"].as_str().unwrap());
        let rows = rows(&of_fold);
        assert_eq!(
            rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["train", "test"]
        );
        assert_eq!(fold["rows"]["train"], rows[0].1);
        assert!(of_fold.join("statistics.json").exists());
    }
}

#[test]
fn a_flag_wins_over_a_file_that_cuts_in_another_way() {
    let folder = folder();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/dataset.yaml");
    fs::copy(file, folder.path().join("dataset.yaml")).unwrap();
    let out = folder.path().join("out");
    assert_eq!(run(&folder, &with(&["--config", "dataset.yaml"])).code, 0);
    let by_file = rows(&out);
    assert_eq!(by_file.len(), 3);
    let args = [&["--config", "dataset.yaml"], &BY_DATES[..]].concat();
    assert_eq!(run(&folder, &with(&args)).code, 0);
    assert_eq!(rows(&out), split_rows(252, 28, 56));
    let args = ["--folds", "expanding", "--fold-train-days", "200", "--fold-test-days", "50"];
    let more = ["--fold-step-days", "50", "--config", "dataset.yaml"];
    assert_eq!(run(&folder, &with(&[&args[..], &more].concat())).code, 0);
    assert!(out.join("folds.json").exists() && !out.join("train").exists());
}

#[test]
fn dates_of_the_environment_and_of_env_files() {
    let folder = folder();
    let out = folder.path().join("out");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/dataset.yaml");
    fs::copy(file, folder.path().join("dataset.yaml")).unwrap();
    let lines = "# dates\nexport TRAIN_START_DATE=2024-02-01\nTRAIN_END_DATE=\"2024-08-28\"\nTEST_END_DATE=2024-10-28\n";
    fs::write(folder.path().join(".env"), lines).unwrap();
    let variables = [("TEST_START_DATE", "2024-10-01"), ("TRAIN_END_DATE", "2024-09-28")];
    let args = with(&["--config", "dataset.yaml"]);
    let by_variables = run_with(&folder, &args, &variables);
    assert_eq!(by_variables.code, 0, "{}", by_variables.stderr);
    let told = by_variables
        .stderr
        .replace(&folder.path().canonicalize().unwrap().display().to_string(), "HERE");
    for want in [
        "`train_start` is set by TRAIN_START_DATE in HERE/.env\n",
        "`train_end` is set by TRAIN_END_DATE\n",
        "`test_start` is set by TEST_START_DATE\n",
        "84 records are dated outside of all splits and left out\n",
    ] {
        assert!(told.contains(want), "{want}: {told}");
    }
    let want = [("train".to_owned(), 8 * 28), ("test".to_owned(), 28)];
    assert_eq!(rows(&out), want);
    // A validation and the flags' own days.
    let args =
        with(&["--config", "dataset.yaml", "--train-end", "2024-06-28", "--val-end", "2024-08-28"]);
    let by_flags = run_with(&folder, &args, &variables);
    assert!(!by_flags.stderr.contains("train_end"), "{}", by_flags.stderr);
    assert_eq!(rows(&out), split_rows(5 * 28, 2 * 28, 28));
    // Another way to cut, by flags: no date of the environment counts.
    let days =
        run_with(&folder, &with(&["--test-split-days", "28", "--val-days", "30"]), &variables);
    assert_eq!((days.code, days.stderr.as_str()), (0, ""));

    fs::write(folder.path().join(".env"), "TEST_END_DATE 2024-10-28").unwrap();
    fails(&folder, &with(&BY_DATES), 1, &["/.env:1: expected NAME=value"]);
    fs::remove_file(folder.path().join(".env")).unwrap();
    let wrong = run_with(&folder, &with(&BY_DATES), &[("TEST_END_DATE", "soon")]);
    assert_eq!(wrong.code, 1);
    let want = "error: TEST_END_DATE: `test_end`: `soon` is not a date";
    assert!(wrong.stderr.contains(want), "{}", wrong.stderr);
    let unknown = [("THESISFORGE_BUILD_DATASET_TRAIN_ENDE", "2024-01-01")];
    let unknown = run_with(&folder, &with(&BY_DATES), &unknown);
    let want = "did you mean THESISFORGE_BUILD_DATASET_TRAIN_END?";
    assert!(unknown.code == 1 && unknown.stderr.contains(want), "{}", unknown.stderr);
}

#[test]
fn the_settings_file_documents_every_key() {
    let folder = folder();
    assert_eq!(run(&folder, &with(&BY_DATES)).code, 0);
    let manifest = json(folder.path().join("out/manifest.json"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/dataset.yaml");
    let text = fs::read_to_string(file).unwrap();
    for key in manifest["config"].as_object().unwrap().keys() {
        assert!(text.lines().any(|line| line.starts_with(&format!("{key}:"))), "{key}");
    }
}

#[test]
fn warnings_in_words() {
    let folder = folder();
    let run = run(&folder, &with(&["--train-end", "2024-12-01", "--val-end", "2025-06-30"]));
    assert_eq!(run.code, 0);
    let want = "warning: split `test` is empty: no record is dated from 2025-07-01 on";
    assert!(run.stderr.contains(want), "{}", run.stderr);
}

#[test]
fn settings_that_make_no_sense() {
    let folder = folder();
    fails(&folder, &with(&[]), 1, &["error: nothing says where to cut", "hint: give --train-end"]);
    fails(&folder, &with(&["--train-end", "2024-03-01"]), 1, &["`val_end` is not", "--test-start"]);
    fails(&folder, &with(&["--test-end", "2024-03-01"]), 1, &["`train_end` is not"]);
    fails(&folder, &with(&["--val-days", "3"]), 1, &["`test_split_days` is not"]);
    fails(&folder, &with(&["--folds", "rolling"]), 1, &["`fold_train_days` is not"]);
    let swapped = ["--train-end", "2024-03-01", "--val-end", "2024-02-01"];
    fails(&folder, &with(&swapped), 1, &["`val_end` (2024-02-01) must lie after `train_end`"]);
    fails(&folder, &with(&["--train-end", "soon"]), 2, &["`soon` is not a date"]);
    fails(
        &folder,
        &with(&["--train-end", "2024-03-01", "--val-days", "3"]),
        2,
        &["cannot be used"],
    );
    fails(&folder, &["--jsonl", "all.jsonl"], 2, &["--out-dir"]);
    let long = ["--folds", "rolling", "--fold-train-days", "900", "--fold-test-days", "60"];
    let args = [&long[..], &["--fold-step-days", "60"]].concat();
    fails(&folder, &with(&args), 1, &["span 363 days", "hint: take shorter windows"]);
    fs::write(folder.path().join("bad.yaml"), "train_ende: 2024-01-01\n").unwrap();
    fails(
        &folder,
        &with(&["--config", "bad.yaml"]),
        1,
        &["bad.yaml: build-dataset has no setting `train_ende`; did you mean `train_end`?"],
    );
}

#[test]
fn input_that_is_no_records() {
    let folder = folder();
    let path = folder.path().join("all.jsonl");
    let good = fs::read_to_string(&path).unwrap();
    fs::write(&path, good.clone() + "{\"uid\": 3}\n").unwrap();
    fails(&folder, &with(&BY_DATES), 1, &["1 faulty line", "all.jsonl:337:", "hint: a record is"]);
    fs::write(&path, good.clone() + &good).unwrap();
    fails(&folder, &with(&BY_DATES), 1, &["336 faulty lines", "is that of line 1 already"]);
    fs::write(&path, "\n").unwrap();
    fails(&folder, &with(&BY_DATES), 1, &["there are no records to split", "hint: --jsonl"]);
    fs::remove_file(&path).unwrap();
    fails(&folder, &with(&BY_DATES), 1, &["cannot open all.jsonl", "hint: --jsonl"]);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn folders_that_are_not_ours() {
    let folder = folder();
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(folder.path().join("out/thesis.doc"), "precious").unwrap();
    fails(&folder, &with(&BY_DATES), 1, &["out exists and was not written", "hint: name another"]);
    assert!(folder.path().join("out/thesis.doc").exists());

    let inside = ["--jsonl", "all.jsonl", "--out-dir", "."];
    fails(&folder, &[&inside[..], &BY_DATES].concat(), 1, &["lies inside of --out-dir"]);

    fs::write(folder.path().join("file"), "").unwrap();
    let under = ["--jsonl", "all.jsonl", "--out-dir", "file/out"];
    fails(&folder, &[&under[..], &BY_DATES].concat(), 1, &["file", "hint: --out-dir must be"]);
}

#[test]
fn an_earlier_data_set_stays_until_the_new_one_is_whole() {
    let folder = folder();
    assert_eq!(run(&folder, &with(&BY_DATES)).code, 0);
    let out = folder.path().join("out");
    let before = rows(&out);
    fs::write(folder.path().join("bad.jsonl"), "x\n").unwrap();
    let args = ["--jsonl", "bad.jsonl", "--out-dir", "out"];
    fails(&folder, &[&args[..], &BY_DATES].concat(), 1, &["bad.jsonl:1:1"]);
    assert_eq!(rows(&out), before);
    let later = ["--train-end", "2024-10-28", "--val-end", "2024-11-28"];
    assert_eq!(run(&folder, &with(&later)).code, 0);
    assert_eq!(rows(&out), split_rows(280, 28, 28));
}

#[test]
fn help_has_examples() {
    let help = run(&folder(), &["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("--folds rolling"));
}
