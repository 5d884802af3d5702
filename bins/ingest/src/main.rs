//! Stage 1: XML theses, or prices and news, to JSONL records.

mod args;
mod config;
mod counts;
mod files;
mod news;
mod output;
mod theses;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use chrono::Local;
use clap::Parser;
use indicatif::{HumanBytes, HumanCount};
use stage_cli::{Hint, Stage};
use thesis_core::{AsOfDate, RecordTemplate};

use crate::args::{Args, Kind};
use crate::config::IngestConfig;
use crate::counts::Counts;
use crate::output::{Output, Paths};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    stage_cli::run("ingest", &args.common, |stage| ingest(stage, &args))
}

fn ingest(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let mut config: IngestConfig = stage.config(&args.flags())?;
    // One key for both kinds of input.
    config.news.date_order = config.date_order;
    config.as_of.get_or_insert_with(|| AsOfDate::new(Local::now().date_naive()));
    let IngestConfig { instruction, input, indicator, missing, .. } = &config;
    let template = RecordTemplate::new(instruction, input, indicator, missing)
        .hint("configs/ingest.yaml shows the templates")?;

    let paths = Paths::new(&args.out, args.report.as_deref())?;
    let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &config)?;
    stage.log_to(paths.folder(), &run)?;
    let mut output = Output::create(&paths)?;
    match (args.kind, &args.prices) {
        (Kind::Thesis, _) => {
            let files = files::find(&args.input_dir, &["xml"])?;
            theses::ingest(stage, &config, &template, &files, &mut run, &mut output)?;
        }
        (Kind::News, Some(prices)) => {
            let (news, as_of) = (&config.news, config.as_of);
            news::ingest(stage, news, as_of, &args.input_dir, prices, &mut run, &mut output)?;
        }
        (Kind::News, None) => bail!("--kind news needs --prices"),
    }
    let counts = output.commit(&paths, run)?;

    stage.print(summary(&counts, &paths, began.elapsed().as_secs_f64()));
    if counts.records == 0 {
        bail!("no record could be made; {} says why", paths.rejects.display());
    }
    if config.strict && counts.errors > 0 {
        tracing::error!("{} faults, and --strict allows none", counts.errors);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a person wants to know, a line each.
fn summary(counts: &Counts, paths: &Paths, seconds: f64) -> String {
    let speed = counts.bytes as f64 / 1e6 / seconds;
    let mut text = format!(
        "{} files, {} in {seconds:.2} s ({speed:.0} MB/s)\n",
        HumanCount(counts.files),
        HumanBytes(counts.bytes)
    );
    let mut line = |name: &str, count: u64, rest: String| {
        let count = HumanCount(count).to_string();
        text += format!("{name:<14}{count:>10}  {rest}").trim_end();
        text.push('\n');
    };
    let dates = match (counts.first_date, counts.last_date) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => String::new(),
    };
    line("records", counts.records, dates);
    for (action, count) in &counts.actions {
        let share = 100.0 * *count as f64 / counts.records.max(1) as f64;
        line(&format!("  {action}"), *count, format!("{share:.1} %"));
    }
    line("tickers", counts.tickers.len() as u64, String::new());
    line("duplicates", counts.duplicates, String::new());
    let reasons: Vec<_> = counts.rejected.iter().map(|(why, n)| format!("{why} {n}")).collect();
    line("rejected", counts.rejected.values().sum(), reasons.join(", "));
    if !counts.skipped.is_empty() {
        let reasons: Vec<_> = counts.skipped.iter().map(|(why, n)| format!("{why} {n}")).collect();
        line("skipped", counts.skipped.values().sum(), reasons.join(", "));
    }
    line("warnings", counts.warnings, String::new());
    text += &format!("written to {}", paths.records.display());
    text
}

impl IngestConfig {
    /// Largest file that is read, in bytes.
    fn max_file_bytes(&self) -> u64 {
        self.max_file_mib << 20
    }
}

/// Reads a file's size.
fn file_size(path: &std::path::Path) -> anyhow::Result<u64> {
    let metadata = path.metadata().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(metadata.len())
}
