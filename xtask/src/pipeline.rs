//! The whole pipeline: each stage is a program of its own, and reads files that an earlier one wrote.
//!
//! ```text
//!  theses ──ingest──▶ records ──build-dataset──▶ dataset ──tokenize-shards──▶ shards
//!                                                   │                           │
//!                                                   │       base model ──▶ train-sft ──▶ sft
//!  prices ──fetch-prices──▶ prices ─────────┐       ▼                           │
//!                                           ├─▶ evaluate-sft ◀──────────────────┘
//!                                           │       │ eval
//!                                           └─▶ trading-backtest ──▶ backtest
//! ```

mod args;
mod binaries;
mod child;
mod command_line;
mod digest;
mod environment;
mod html;
mod inputs;
mod page;
mod plan;
mod profile;
mod report;
#[cfg(test)]
mod report_tests;
mod results;
mod run_folder;
mod runner;
mod stage;
mod stamp;
mod table;
mod time;
mod warnings;

use std::process::ExitCode;

pub(crate) use args::PipelineArgs;
use inputs::Inputs;
use profile::Settings;
use run_folder::RunFolder;
use stage::{Stage, StageName};

/// Runs the stages in order; one whose inputs and settings have not changed is left as it is.
pub(crate) fn run(args: &PipelineArgs) -> ExitCode {
    runner::run(args, stages)
}

/// The drawing above, stage by stage: what each reads, and what it writes into the run's folder.
fn stages(given: &Inputs, settings: &Settings, run: &RunFolder) -> Vec<Stage> {
    let Inputs { theses, prices: price_files, price_source, tickers, base_model } = given;
    let records = run.path("records/all.jsonl");
    let dataset = run.path("dataset");
    let shards = run.path("shards");
    let prices = run.path("prices");
    let sft = run.path("sft");
    let calls = run.path("eval/eval_results.csv");
    let backtest = run.path("backtest/backtest.json");

    let ingest = Stage::new(StageName::Ingest, "theses to records, one a line")
        .reads("--input-dir", theses)
        .writes("--out", &records);

    let build_dataset = Stage::new(StageName::BuildDataset, "records to splits by date")
        .reads("--jsonl", &records)
        .writes("--out-dir", &dataset);

    let tokenize_shards = Stage::new(StageName::TokenizeShards, "splits to rows of tokens")
        .reads("--dataset-dir", &dataset)
        .reads("--tokenizer", base_model)
        .writes("--out", &shards);

    let fetch_prices = Stage::new(StageName::FetchPrices, "daily bars into the price cache")
        .takes("--tickers", tickers)
        .takes("--source", price_source)
        .reads_files("--input", price_files.as_deref())
        .writes("--cache", &prices);

    let train_sft = Stage::new(StageName::TrainSft, "fine-tunes the base model on the rows")
        .reads("--base-model", base_model)
        .reads("--shards", &shards)
        .writes("--out", &sft)
        .resumes();

    let evaluate_sft = Stage::new(StageName::EvaluateSft, "asks base and tuned model, and judges")
        .reads("--model-dir", &sft)
        .reads("--dataset-dir", &dataset)
        .reads("--prices", &prices)
        .writes("--out", &calls)
        .resumes();

    let trading_backtest = Stage::new(StageName::TradingBacktest, "trades the calls of the model")
        .reads("--eval-csv", &calls)
        .reads("--prices", &prices)
        .writes("--out", &backtest);

    let stages = [
        ingest,
        build_dataset,
        tokenize_shards,
        fetch_prices,
        train_sft,
        evaluate_sft,
        trading_backtest,
    ];
    stages.map(|stage| stage.with(settings, run)).into()
}
