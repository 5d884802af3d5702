//! A run of training, records and prices in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::Datelike;
use dataset_split::{
    Balance, Boundaries, DEFAULT_SHARD_BYTES, DateBounds, Format, RecordIndex, SplitConfig,
    WriteOptions, plan_splits, write_splits,
};
use serde_json::json;
use tempfile::TempDir;
use thesis_core::{Action, AsOfDate, Completion, Indicators, Provenance, Record, Ticker};
use tokenize::{
    ModelFiles, PromptFormat, PromptOptions, PromptRecipe, StructureTokens, tokenizer_files,
};

/// What a run said.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
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

pub(crate) struct World {
    folder: TempDir,
}

const TEST_ROWS: usize = 7;
const VALIDATION_ROWS: usize = 3;

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a folder") };
        world.write_run();
        world.write_dataset();
        world.write_prices();
        world.settings("");
        world
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn test_rows(&self) -> usize {
        TEST_ROWS
    }

    pub(crate) fn validation_rows(&self) -> usize {
        VALIDATION_ROWS
    }

    /// Writes settings that keep runs small, and `more`; returns the file.
    pub(crate) fn settings(&self, more: &str) -> String {
        let windows =
            if more.contains("forward_windows") { "" } else { "forward_windows: [1, 5]\n" };
        let text = format!("{windows}bootstrap: {{ replicates: 50 }}\n{more}\n");
        let path = self.path("eval.yaml");
        fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    }

    /// All flags of a run; those given win. `--no-prices` and `--bare` (no settings) are ours.
    pub(crate) fn flags(&self, given: &[&str]) -> Vec<String> {
        let defaults = [
            ("--model-dir", "sft"),
            ("--dataset-dir", "dataset"),
            ("--prices", "prices"),
            ("--out", "results/eval.csv"),
            ("--config", "eval.yaml"),
            ("--max-new-tokens", "40"),
            ("--temperature-rows", "3"),
        ];
        let bare = given.contains(&"--bare");
        let mut flags: Vec<String> = vec!["--no-progress".to_owned()];
        for (flag, value) in defaults {
            let is_left_out = (given.contains(&"--no-prices") && flag == "--prices")
                || (bare && ["--config", "--max-new-tokens"].contains(&flag));
            if !given.contains(&flag) && !is_left_out {
                flags.extend([flag.to_owned(), value.to_owned()]);
            }
        }
        let ours = ["--no-prices", "--bare"];
        flags.extend(
            given.iter().filter(|flag| !ours.contains(flag)).map(|flag| (*flag).to_owned()),
        );
        flags
    }

    pub(crate) fn run(&self, given: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evaluate-sft"));
        let output = command.current_dir(self.folder()).args(self.flags(given)).output();
        let output = output.expect("the binary runs");
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The made-up close of a day; it is the same for all tickers.
    pub(crate) fn close(&self, date: &str) -> f64 {
        let text = fs::read_to_string(self.path("prices/TSLA.csv")).expect("prices");
        let line = text.lines().find(|line| line.starts_with(date)).expect("a session");
        line.split(',').nth(4).and_then(|close| close.parse().ok()).expect("a close")
    }

    /// As `train-sft` leaves it: a finished adapter, a checkpoint, and how it was asked.
    fn write_run(&self) {
        let (base, adapter) = (fixture("models/llama"), fixture("models/llama/adapter"));
        let files = ModelFiles::read(&base).expect("the files are there");
        let structure_tokens = StructureTokens::Added;
        let prompt = PromptOptions { structure_tokens, ..PromptOptions::default() };
        let format = PromptFormat::new(&files, &prompt).expect("the fixture is sound");
        let settings = json!({
            "base_model": base, "shards": "shards", "dataset": null, "quantization": "nf4",
            "double_quantization": true, "dtype": "auto", "compute_dtype": "f32", "adapter": "lora",
        });
        let recipe = PromptRecipe { prompt, shortened_to: None };
        for folder in ["sft/adapter", "sft/prompt", "sft/checkpoint-4"] {
            let folder = self.path(folder);
            fs::create_dir_all(&folder).expect("made");
            if !folder.ends_with("prompt") {
                for name in ["adapter_config.json", "adapter_model.safetensors"] {
                    fs::copy(adapter.join(name), folder.join(name)).expect("copied");
                }
                fs::write(folder.join("sft.json"), settings.to_string()).expect("written");
            }
            if !folder.ends_with("checkpoint-4") {
                for file in tokenizer_files(&files, &format).expect("files") {
                    fs::write(folder.join(file.name), file.text).expect("written");
                }
                let recipe = serde_json::to_string(&recipe).expect("JSON");
                fs::write(folder.join(PromptRecipe::FILE), recipe).expect("written");
            }
        }
    }

    fn write_dataset(&self) {
        let days = ["2024-01-02", "2024-01-03", "2024-02-01", "2024-02-02", "2024-02-05"];
        let test = (0..TEST_ROWS as u32).map(|n| day("2024-03-01").plus_days(5 * n).to_string());
        let dates = days.into_iter().map(str::to_owned).chain(test);
        let records = dates.enumerate().map(|(index, date)| record(index, day(&date)));
        let lines: String =
            records.map(|record| serde_json::to_string(&record).expect("JSON") + "\n").collect();
        let path = self.path("all.jsonl");
        fs::write(&path, lines).expect("written");
        let index = RecordIndex::read(&path, &|_| ()).expect("records");
        let bounds = DateBounds::new(day("2024-01-31"), day("2024-02-29"));
        let config = SplitConfig { boundaries: Boundaries::Dates(bounds), embargo_days: 0 };
        let (_, last) = index.span().expect("dates");
        let plan = plan_splits(&index, config.cut(last).expect("a cut"), Balance::None);
        let options = WriteOptions { format: Format::Arrow, max_shard_bytes: DEFAULT_SHARD_BYTES };
        write_splits(&index, &plan, &self.path("dataset"), &options, &|_| ()).expect("written");
    }

    /// Weekdays from February to March 27th; a close that is one dollar higher each session.
    fn write_prices(&self) {
        let mut text = "date,open,high,low,close,adj_close,volume\n".to_owned();
        let days = (0..56).map(|n| day("2024-02-01").plus_days(n).day());
        for (n, date) in days.filter(|date| date.weekday().number_from_monday() < 6).enumerate() {
            let close = 100 + n;
            text += &format!("{date},{close},{close},{close},{close},{close},1000\n");
        }
        fs::create_dir(self.path("prices")).expect("made");
        for ticker in ["TSLA", "BRK.B"] {
            fs::write(self.path("prices").join(format!("{ticker}.csv")), &text).expect("written");
        }
    }
}

fn day(text: &str) -> AsOfDate {
    AsOfDate::parse(text).expect("a date")
}

fn record(index: usize, date: AsOfDate) -> Record {
    let ticker = Ticker::new(["BRK.B", "NOPE", "TSLA"][index % 3]).expect("a ticker");
    let action = Action::ALL[index * 2 % 5];
    let reasoning = format!("RSI {index}, é");
    let completion = Completion { reasoning, support: "a | b".to_owned(), action };
    Record {
        uid: Record::uid(&ticker, date, 0),
        ticker,
        as_of_date: date,
        instruction: "Call it.".to_owned(),
        input: format!("RSI={}{}", 10 * index, " x".repeat(index % 4)),
        output: completion.to_string(),
        action,
        indicators: Indicators::default(),
        metadata: Provenance::default(),
    }
}
