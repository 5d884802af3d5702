use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};
use stage_cli::CommonArgs;
use thesis_core::AsOfDate;

/// Split JSONL records by date into data sets that Hugging Face `datasets` opens
///
/// A record's date alone decides where it belongs: training is older than validation, validation
/// older than test. What was written is read back and checked for leaks before it gets its name.
/// The same input and settings give the same bytes, whatever the number of threads.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Records, one a line, as `ingest` writes them
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) jsonl: PathBuf,
    /// The data set is written here, complete or not at all; an earlier one is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) out_dir: PathBuf,
    /// First day of training [default: that of the oldest record]
    #[arg(long, value_name = "DATE", help_heading = WHERE, conflicts_with_all = [DAYS, FOLDS])]
    pub(crate) train_start: Option<AsOfDate>,
    /// Last day of training
    #[arg(long, value_name = "DATE", help_heading = WHERE, conflicts_with_all = [DAYS, FOLDS])]
    pub(crate) train_end: Option<AsOfDate>,
    /// Last day of validation, which begins on the day after training
    #[arg(long, value_name = "DATE", help_heading = WHERE, conflicts_with_all = [DAYS, FOLDS])]
    pub(crate) val_end: Option<AsOfDate>,
    /// First day of the test [default: the day after --val-end]; without --val-end there is no
    /// validation
    #[arg(long, value_name = "DATE", help_heading = WHERE, conflicts_with_all = [DAYS, FOLDS])]
    pub(crate) test_start: Option<AsOfDate>,
    /// Last day of the test [default: that of the newest record]
    #[arg(long, value_name = "DATE", help_heading = WHERE, conflicts_with_all = [DAYS, FOLDS])]
    pub(crate) test_end: Option<AsOfDate>,
    /// Calendar days of the test, counted back from the last date
    #[arg(long, value_name = "N", help_heading = WHERE, conflicts_with = FOLDS)]
    pub(crate) test_split_days: Option<u32>,
    /// Calendar days of the validation before the test; 0 for none
    #[arg(long, value_name = "N", help_heading = WHERE, conflicts_with_all = DATES_OR_FOLDS)]
    pub(crate) val_days: Option<u32>,
    /// Drop records of training and validation so many calendar days before the next split
    /// [default: 0]
    #[arg(long, value_name = "N", help_heading = WHERE)]
    pub(crate) embargo_days: Option<u32>,
    /// Write walk-forward folds, a data set each
    #[arg(long, value_enum, value_name = "MODE", help_heading = WALK)]
    pub(crate) folds: Option<FoldModeArg>,
    /// Training days of a fold; of the first one where they expand
    #[arg(long, value_name = "N", help_heading = WALK)]
    pub(crate) fold_train_days: Option<u32>,
    /// Validation days of a fold [default: 0]
    #[arg(long, value_name = "N", help_heading = WALK)]
    pub(crate) fold_val_days: Option<u32>,
    /// Test days of a fold
    #[arg(long, value_name = "N", help_heading = WALK)]
    pub(crate) fold_test_days: Option<u32>,
    /// Days from fold to fold
    #[arg(long, value_name = "N", help_heading = WALK)]
    pub(crate) fold_step_days: Option<u32>,
    /// Files to write [default: arrow]
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// What to do about classes of unequal size, in training alone [default: none]
    #[arg(long, value_enum)]
    pub(crate) balance: Option<BalanceArg>,
    /// Begin another file after so many MB [default: 500]
    #[arg(long, value_name = "N")]
    pub(crate) max_shard_mb: Option<u64>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const WHERE: &str = "Where to cut";
const WALK: &str = "Walk-forward folds";
const DAYS: &str = "test_split_days";
const FOLDS: &str = "folds";
const DATES_OR_FOLDS: [&str; 6] =
    ["train_start", "train_end", "val_end", "test_start", "test_end", FOLDS];

const EXAMPLES: &str = "\
Examples:
  build-dataset --jsonl all.jsonl --out-dir dataset --config configs/dataset.yaml
  build-dataset --jsonl all.jsonl --out-dir dataset --train-end 2023-03-31 --val-end 2023-06-30
  build-dataset --jsonl all.jsonl --out-dir dataset --train-start 2018-01-01 \\
      --train-end 2022-12-31 --test-start 2023-04-01 --test-end 2023-06-30
  build-dataset --jsonl all.jsonl --out-dir dataset --test-split-days 90 --val-days 60 \\
      --embargo-days 5 --balance weights --format parquet
  build-dataset --jsonl all.jsonl --out-dir folds --folds rolling --fold-train-days 365 \\
      --fold-test-days 90 --fold-step-days 90 --embargo-days 5

Open it in Python:
  datasets.load_from_disk(\"dataset\")    datasets.load_dataset(\"dataset\")  (Parquet)";

/// How folds move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FoldModeArg {
    /// Training keeps its length and moves along
    Rolling,
    /// Training keeps its beginning and grows
    Expanding,
}

/// Files to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormatArg {
    /// For datasets.load_from_disk
    Arrow,
    /// For datasets.load_dataset, polars, DuckDB, …
    Parquet,
}

/// What to do about classes of unequal size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BalanceArg {
    /// Nothing
    None,
    /// Repeat rows of smaller classes
    Oversample,
    /// Add a column `weight`
    Weights,
}

impl Args {
    /// The settings that flags give.
    pub(crate) fn flags(&self) -> Map<String, Value> {
        let Self {
            jsonl: _,
            out_dir: _,
            train_start,
            train_end,
            val_end,
            test_start,
            test_end,
            test_split_days,
            val_days,
            embargo_days,
            folds,
            fold_train_days,
            fold_val_days,
            fold_test_days,
            fold_step_days,
            format,
            balance,
            max_shard_mb,
            common: _,
        } = self;
        let given = [
            ("train_start", train_start.map(|v| json!(v))),
            ("train_end", train_end.map(|v| json!(v))),
            ("val_end", val_end.map(|v| json!(v))),
            ("test_start", test_start.map(|v| json!(v))),
            ("test_end", test_end.map(|v| json!(v))),
            ("test_split_days", test_split_days.map(|v| json!(v))),
            ("val_days", val_days.map(|v| json!(v))),
            ("embargo_days", embargo_days.map(|v| json!(v))),
            ("folds", folds.map(|v| json!(v))),
            ("fold_train_days", fold_train_days.map(|v| json!(v))),
            ("fold_val_days", fold_val_days.map(|v| json!(v))),
            ("fold_test_days", fold_test_days.map(|v| json!(v))),
            ("fold_step_days", fold_step_days.map(|v| json!(v))),
            ("format", format.map(|v| json!(v))),
            ("balance", balance.map(|v| json!(v))),
            ("max_shard_mb", max_shard_mb.map(|v| json!(v))),
        ];
        given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}
