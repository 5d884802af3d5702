//! The binary as a person uses it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use hf_dataset::{DEFAULT_SHARD_BYTES, DatasetDict, Format, SplitWriter, write_dataset_dict};
use serde_json::Value;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A data set in a new folder, with so many rows in train and test.
fn dataset(train: usize, test: usize) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (split, rows) in [("train", train), ("test", test)] {
        let batch = records(rows);
        let folder = dir.path().join("dataset");
        let mut writer =
            SplitWriter::create(&folder, split, batch.schema(), Format::Arrow, DEFAULT_SHARD_BYTES)
                .expect("a writer");
        writer.write(&batch).expect("rows");
        writer.finish().expect("a split");
    }
    write_dataset_dict(&dir.path().join("dataset"), &["train", "test"]).expect("written");
    dir
}

fn records(rows: usize) -> RecordBatch {
    let column = |text: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new((0..rows).map(|row| Some(text(row))).collect::<StringArray>())
    };
    let columns: [(&str, ArrayRef); 8] = [
        ("uid", column(&|row| format!("TSLA|2021-01-04|{row}"))),
        ("ticker", column(&|_| "TSLA".into())),
        ("as_of_date", column(&|_| "2021-01-04".into())),
        ("instruction", column(&|_| "Call it.".into())),
        ("input", column(&|row| "RSI(14)=54.9<|im_end|>\n".repeat(row % 9))),
        (
            "output",
            column(&|_| {
                "<reasoning>Up.</reasoning><support>a</support><action>BUY</action>".into()
            }),
        ),
        ("action", column(&|_| "BUY".into())),
        ("weight", Arc::new(Float32Array::from_iter_values((0..rows).map(|row| row as f32)))),
    ];
    RecordBatch::try_from_iter(columns).expect("a batch")
}

/// Runs the binary on the data set in `dir`, writing to `out` there.
fn tokenize(dir: &TempDir, tokenizer: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenize-shards"));
    command.arg("--dataset-dir").arg(dir.path().join("dataset"));
    command.arg("--tokenizer").arg(tokenizer);
    command.arg("--out").arg(dir.path().join("out")).args(flags);
    command.output().expect("the binary runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs what must fail with exit code 1, these words on standard error, and no output folder.
fn refused(dir: &TempDir, tokenizer: &Path, flags: &[&str], words: &[&str]) {
    let run = tokenize(dir, tokenizer, flags);
    let text = stderr(&run);
    assert_eq!(run.status.code(), Some(1), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
    assert!(!dir.path().join("out").exists());
    let left = fs::read_dir(dir.path()).expect("the folder").count();
    assert_eq!(left, 1, "a run that fails leaves nothing behind");
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("the file is there");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_data_set_becomes_shards() {
    let dir = dataset(50, 5);
    let run = tokenize(&dir, &fixture("tokenizers/bpe"), &[]);
    assert!(run.status.success(), "{}", stderr(&run));
    let table = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(table.contains("target share") && table.contains("answers end with <|im_end|>"));
    assert!(table.lines().filter(|l| l.contains('█')).all(|line| line.chars().count() <= 80));

    let out = dir.path().join("out");
    let shards = DatasetDict::open(&out).unwrap();
    assert_eq!(shards.splits(), ["train", "test"]);
    let names: Vec<_> = shards
        .split("train")
        .unwrap()
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, ["input_ids", "attention_mask", "labels", "uid", "action", "weight"]);
    for file in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] {
        assert!(out.join("tokenizer").join(file).exists(), "{file}");
    }
    let report = json(&out.join("report.json"));
    assert_eq!(report["splits"][0]["examples"], 50);
    assert_eq!(report["end_token"]["text"], "<|im_end|>");
    assert_eq!(report["structure_tokens"].as_object().unwrap().len(), 11);
    let manifest = json(&out.join("manifest.json"));
    assert_eq!(manifest["stage"], "tokenize-shards");
    assert_eq!(manifest["config"]["max_length"], 2048);
    let inputs = manifest["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 3 + 2, "three files of the tokenizer, two of the data set");
}

#[test]
fn threads_change_no_byte() {
    let bytes = |threads: &str| {
        let dir = dataset(300, 10);
        let flags = ["--threads", threads, "--packing", "bfd", "--max-length", "512"];
        let run = tokenize(&dir, &fixture("tokenizers/metaspace"), &flags);
        assert!(run.status.success(), "{}", stderr(&run));
        let out = dir.path().join("out");
        ["train/data-00000-of-00001.arrow", "report.json", "tokenizer/tokenizer.json"]
            .map(|file| fs::read(out.join(file)).expect("the file is there"))
    };
    assert!(bytes("1") == bytes("4"));
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let dir = dataset(3, 3);
    let config = tempfile::NamedTempFile::new().unwrap();
    let yaml = "max_length: 300\npacking: bfd\nsystem_prompt: You are an analyst.\n";
    fs::write(config.path(), yaml).unwrap();
    let file = config.path().to_str().unwrap();
    let flags = ["--config", file, "--packing", "none"];
    let run = tokenize(&dir, &fixture("tokenizers/bpe"), &flags);
    assert!(run.status.success(), "{}", stderr(&run));
    let config = json(&dir.path().join("out/manifest.json"))["config"].clone();
    assert_eq!((&config["max_length"], &config["packing"]), (&300.into(), &"none".into()));
    assert_eq!(config["system_prompt"], "You are an analyst.");
}

#[test]
fn the_documented_settings_are_the_defaults() {
    let dir = dataset(3, 0);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/tokenize.yaml");
    let config = |flags: &[&str]| {
        let run = tokenize(&dir, &fixture("tokenizers/bpe"), flags);
        assert!(run.status.success(), "{}", stderr(&run));
        json(&dir.path().join("out/manifest.json"))["config"].clone()
    };
    assert_eq!(config(&["--config", shipped.to_str().unwrap()]), config(&[]));
}

#[test]
fn an_empty_split_stays_empty() {
    let dir = dataset(4, 0);
    let run = tokenize(&dir, &fixture("tokenizers/bpe"), &[]);
    assert!(run.status.success(), "{}", stderr(&run));
    let shards = DatasetDict::open(&dir.path().join("out")).unwrap();
    assert_eq!(shards.split("test").unwrap().rows(), 0);

    refused(&dataset(0, 0), &fixture("tokenizers/bpe"), &[], &["no example came out", "hint: "]);
}

#[test]
fn records_that_are_too_long() {
    let bpe = fixture("tokenizers/bpe");
    let short = ["--max-length", "100"];
    let words =
        ["more than 100 tokens: 26 of 50 in `train`", "in `test`", "hint: --max-length 180"];
    refused(&dataset(50, 9), &bpe, &short, &words);

    for (policy, examples, shortened) in [("drop", 24, 0), ("truncate-input", 50, 26)] {
        let dir = dataset(50, 9);
        let flags = [&short[..], &["--on-overflow", policy]].concat();
        let run = tokenize(&dir, &bpe, &flags);
        assert!(run.status.success(), "{}", stderr(&run));
        let report = json(&dir.path().join("out/report.json"));
        let train = &report["splits"][0];
        assert_eq!(
            (&train["examples"], &train["shortened"]),
            (&examples.into(), &shortened.into())
        );
        let logs = fs::read_dir(dir.path().join("out/logs")).unwrap().flatten();
        let log = logs.map(|log| fs::read_to_string(log.path()).unwrap()).next().unwrap();
        assert!(log.contains("TSLA|2021-01-04|8"), "each uid is in the log");
    }
}

#[test]
fn what_is_wrong_with_the_model_is_said() {
    let dir = dataset(3, 3);
    let model = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().expect("a folder");
        let bpe = fixture("tokenizers/bpe/tokenizer.json");
        fs::copy(bpe, folder.path().join("tokenizer.json")).expect("copied");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    };
    let empty = tempfile::tempdir().unwrap();
    refused(&dir, empty.path(), &[], &["has no tokenizer.json", "save_pretrained"]);
    refused(&dir, Path::new("no/such/model"), &[], &["cannot read no/such/model", "hint: "]);
    let broken = model(&[("tokenizer.json", "{\"version\": ")]);
    refused(&dir, broken.path(), &[], &["tokenizer.json is damaged", "EOF while parsing"]);
    let bare = fixture("tokenizers/bpe/tokenizer.json");
    refused(&dir, &bare, &[], &["no token is known to end an answer", "--end-token"]);
    refused(&dir, &bare, &["--end-token", "<eot>"], &["`<eot>` is not in the tokenizer's"]);
    let config = ("tokenizer_config.json", "{\"eos_token\": \"<|im_end|>\"}");
    let raises = "{{ raise_exception('only in French') }}";
    let raises = model(&[config, ("chat_template.jinja", raises)]);
    refused(&dir, raises.path(), &[], &["refuses a conversation of user", "only in French"]);
    let syntax = model(&[config, ("chat_template.jinja", "{% for %}")]);
    refused(&dir, syntax.path(), &[], &["does not compile", "hint: "]);
}

#[test]
fn what_is_wrong_with_the_rest_is_said() {
    let dir = dataset(3, 3);
    let bpe = fixture("tokenizers/bpe");
    refused(&dir, &bpe, &["--max-length", "1"], &["max length of 1 tokens is out of range"]);
    let config = tempfile::NamedTempFile::new().unwrap();
    fs::write(config.path(), "max_len: 5").unwrap();
    let file = config.path().to_str().unwrap();
    refused(&dir, &bpe, &["--config", file], &["max_len", "max_length", "hint: "]);
    fs::write(config.path(), "packing: tight").unwrap();
    refused(&dir, &bpe, &["--config", file], &["tight", "packing"]);

    let usage = tokenize(&dir, &bpe, &["--packing", "tight"]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(stderr(&usage).contains("possible values: none, bfd"), "{}", stderr(&usage));

    fs::write(dir.path().join("out"), "a file").unwrap();
    let occupied = tokenize(&dir, &bpe, &[]);
    assert_eq!(occupied.status.code(), Some(1));
    assert!(stderr(&occupied).contains("hint: name another --out"), "{}", stderr(&occupied));

    let nowhere = tempfile::tempdir().unwrap();
    refused_dataset(&nowhere, &bpe);
}

fn refused_dataset(dir: &TempDir, tokenizer: &Path) {
    let run = tokenize(dir, tokenizer, &[]);
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("cannot open data set"), "{}", stderr(&run));
}

#[test]
fn a_record_outside_of_the_grammar_is_named() {
    let dir = dataset(3, 0);
    let batch = records(3);
    let outputs: ArrayRef = Arc::new(StringArray::from(vec!["fine?", "x", "y"]));
    let columns = batch.schema_ref().fields().iter().zip(batch.columns()).map(|(field, column)| {
        let column = if field.name() == "output" { &outputs } else { column };
        (field.name().clone(), column.clone())
    });
    let batch = RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap();
    let folder = dir.path().join("dataset");
    fs::remove_dir_all(folder.join("train")).unwrap();
    let mut writer =
        SplitWriter::create(&folder, "train", batch.schema(), Format::Arrow, DEFAULT_SHARD_BYTES)
            .unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let bpe = fixture("tokenizers/bpe");
    let words = ["TSLA|2021-01-04|0", "`<reasoning>` is missing", "--structure-tokens plain"];
    refused(&dir, &bpe, &[], &words);
    let run = tokenize(&dir, &bpe, &["--structure-tokens", "plain"]);
    assert!(run.status.success(), "{}", stderr(&run));
}

#[test]
fn help_shows_examples() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenize-shards"));
    let help = command.arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(text.contains("Examples:") && text.contains("--on-overflow"), "{text}");
}
