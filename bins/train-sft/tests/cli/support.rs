//! A folder, settings and data for a run, and what a run said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use hf_dataset::{DEFAULT_SHARD_BYTES, Format, SplitWriter, write_dataset_dict};
use tempfile::TempDir;

pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            assert!(
                self.stderr.contains(word) || self.stdout.contains(word),
                "no {word:?} in {}{}",
                self.stdout,
                self.stderr
            );
        }
    }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// Runs the binary in a folder of its own, with these settings as its file.
pub(crate) fn run_in(folder: &Path, yaml: &str, flags: &[&str]) -> Run {
    let file = folder.join("sft.yaml");
    fs::write(&file, yaml).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_train-sft"));
    let output = command.current_dir(folder).arg("--config").arg(&file).args(flags).output();
    let output = output.expect("the binary runs");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) fn run(yaml: &str, flags: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    run_in(folder.path(), yaml, flags)
}

/// Settings that work: the reference's data on its model, without an evaluation.
pub(crate) fn settings() -> String {
    format!(
        "base_model: {}\nshards: {}\neval_split: null\nmax_length: 40\n",
        fixture("models/llama").display(),
        fixture("sft/llama-dataset").display()
    )
}

#[track_caller]
pub(crate) fn refused(yaml: &str, flags: &[&str], words: &[&str]) {
    let run = run(yaml, flags);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    run.says(words);
}

/// A data set of one split with `labels` over ids of the same shape.
pub(crate) fn shards(ids: &[&[i32]], labels: &[&[i32]]) -> TempDir {
    let lists = |rows: &[&[i32]]| -> ArrayRef {
        let rows = rows.iter().map(|row| Some(row.iter().map(|&value| Some(value))));
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows))
    };
    let uids: Vec<String> = (0..ids.len()).map(|row| format!("TSLA|2024-01-02|{row}")).collect();
    let batch = RecordBatch::try_from_iter([
        ("input_ids", lists(ids)),
        ("labels", lists(labels)),
        ("uid", Arc::new(StringArray::from(uids)) as ArrayRef),
    ]);
    let (batch, folder) = (batch.expect("a batch"), tempfile::tempdir().expect("a folder"));
    let (path, schema) = (folder.path(), batch.schema());
    let writer = SplitWriter::create(path, "train", schema, Format::Arrow, DEFAULT_SHARD_BYTES);
    let mut writer = writer.expect("a writer");
    writer.write(&batch).expect("rows");
    writer.finish().expect("a split");
    write_dataset_dict(path, &["train"]).expect("written");
    folder
}

#[track_caller]
pub(crate) fn trains(folder: &Path, yaml: &str, flags: &[&str]) -> Run {
    let run = run_in(folder, yaml, flags);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}
