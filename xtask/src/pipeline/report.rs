use std::io::{Write, stdout};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::StageName;
use super::page::{Page, StageOnPage};
use super::results::{Results, summary};
use super::run_folder::RunFolder;
use super::stage::Stage;
use super::stamp::{Found, State, write_whole};
use super::table::table;
use super::warnings::warnings;
use crate::process::say;

/// What a run is called, and how it was asked for.
#[derive(Debug)]
pub(super) struct Title<'a> {
    pub(super) profile: &'a str,
    pub(super) description: &'a str,
    pub(super) command: String,
}

/// Prints the table of a run, and writes its page, its figures and its seconds.
pub(super) fn report(
    title: Title<'_>,
    run: &RunFolder,
    stages: &[(&Stage, String)],
) -> anyhow::Result<()> {
    let results = Results::read(run);
    let mut seconds: Vec<(StageName, f64)> = Vec::new();
    let mut on_page = Vec::new();
    for (stage, command) in stages {
        let found = Found::read(&run.stamp(stage.name))?.map(|found| found.stamp);
        let took = found.filter(|stamp| stamp.state == State::Finished).map(|stamp| stamp.seconds);
        seconds.extend(took.map(|took| (stage.name, took)));
        on_page.push(StageOnPage {
            name: stage.name,
            purpose: stage.purpose,
            command: command.clone(),
            seconds: took,
            warnings: warnings(stage),
            files: files(stage.name, run),
        });
    }
    let Title { profile, description, command } = title;
    let summary = summary(profile, description, &results);
    write_json(&run.path("summary.json"), &summary)?;
    let timings: Map<String, Value> =
        seconds.iter().map(|(stage, took)| (stage.as_str().to_owned(), json!(took))).collect();
    write_json(&run.path("timings.json"), &json!({ "seconds": timings }))?;
    let page = run.path("index.html");
    let html =
        Page { title: profile, description, results: &results, stages: on_page, command }.html();
    write_whole(&page, &html)?;
    // The table is what the command was asked for: data, on standard output.
    let _ = write!(stdout(), "\n{}\n", table(&results, &seconds));
    say(format!("the report of it all: {}", page.display()));
    Ok(())
}

fn write_json(path: &Path, value: &Value) -> anyhow::Result<()> {
    write_whole(path, &(serde_json::to_string_pretty(value)? + "\n"))
}

/// What a person may want to open of a stage's files, where it is there.
fn files(stage: StageName, run: &RunFolder) -> Vec<(&'static str, String)> {
    let files: &[(&str, &str)] = match stage {
        StageName::Ingest => &[
            ("records", "records/all.jsonl"),
            ("rejects", "records/all.rejects.jsonl"),
            ("manifest", "records/all.manifest.json"),
        ],
        StageName::BuildDataset => {
            &[("statistics", "dataset/statistics.json"), ("manifest", "dataset/manifest.json")]
        }
        StageName::TokenizeShards => {
            &[("report", "shards/report.json"), ("manifest", "shards/manifest.json")]
        }
        StageName::FetchPrices => &[("manifest", "prices/prices.manifest.json")],
        StageName::TrainSft => &[
            ("losses", "sft/metrics.jsonl"),
            ("settings", "sft/adapter/sft.json"),
            ("manifest", "sft/adapter/manifest.json"),
            ("settings", "sft/model/sft.json"),
            ("manifest", "sft/model/manifest.json"),
        ],
        StageName::EvaluateSft => &[
            ("evaluation", "eval/eval_results.html"),
            ("calls", "eval/eval_results.csv"),
            ("answers", "eval/eval_results.answers.jsonl"),
            ("figures", "eval/eval_results.json"),
            ("manifest", "eval/eval_results.manifest.json"),
        ],
        StageName::TradingBacktest => &[
            ("tear sheet", "backtest/backtest.html"),
            ("figures", "backtest/backtest.json"),
            ("days", "backtest/backtest.days.csv"),
            ("fills", "backtest/backtest.fills.csv"),
            ("dropped orders", "backtest/backtest.dropped.csv"),
        ],
    };
    let there = files.iter().filter(|(_, path)| run.path(path).is_file());
    there.map(|(name, path)| (*name, (*path).to_owned())).collect()
}
