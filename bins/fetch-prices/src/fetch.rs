use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use anyhow::Context;
use chrono::{DateTime, Utc};
use indicatif::HumanCount;
use price_cache::{PriceCache, PriceError, PriceSource, Update, UpdateSettings};
use rayon::prelude::*;
use run_manifest::{FileEntry, Run, digest_file, write_atomic};
use stage_cli::{Hint, Stage, Unit};
use thesis_core::{AsOfDate, Severity, Ticker};

use crate::args::Args;
use crate::config::PricesConfig;
use crate::sources::sources;
use crate::table::table;
use crate::tickers::tickers;

/// In the cache's folder, beside the prices.
const MANIFEST: &str = "prices.manifest.json";

/// What became of a ticker.
pub(crate) struct Outcome {
    pub(crate) ticker: Ticker,
    pub(crate) update: Result<Update, PriceError>,
}

/// The stage's work: ask the sources for each ticker, and say what came of it.
pub(crate) fn fetch(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let now: DateTime<Utc> = SystemTime::now().into();
    let config: PricesConfig = stage.config(&args.flags())?;
    let tickers = tickers(&args.tickers, args.tickers_file.as_deref())?;
    let (from, to) = config.range(AsOfDate::new(now.date_naive()))?;
    let calendar = config.calendar()?;
    let checks = config.checks()?;

    let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &config)?;
    let cache = PriceCache::open(&args.cache).hint("--cache must be a folder you may write to")?;
    let sources = sources(stage, &config, &tickers, &args.cache, &mut run)?;
    stage.log_to(&args.cache, &run)?;
    cache.remove_leftovers(now)?;
    if let Some(calendar) = calendar.as_ref().filter(|c| c.last_known() < to.day()) {
        let (name, last) = (calendar.name(), calendar.last_known());
        tracing::warn!("the calendar {name} ends on {last}; later sessions are not checked");
    }

    let settings = UpdateSettings { calendar: calendar.as_ref(), checks, now };
    let ask: Vec<&dyn PriceSource> = sources.iter().map(AsRef::as_ref).collect();
    let bar = stage.progress("fetching", tickers.len() as u64, Unit::Items);
    let outcomes: Vec<Outcome> = tickers
        .into_par_iter()
        .map(|ticker| {
            let update = cache.update(&ticker, from.day(), to.day(), &ask, &settings);
            bar.inc(1);
            Outcome { ticker, update }
        })
        .collect();
    bar.finish_and_clear();

    tell(&outcomes);
    write_manifest(&args.cache, &cache, run, &outcomes)?;
    stage.print(table(&outcomes));
    let failed = outcomes.iter().filter(|outcome| outcome.update.is_err()).count();
    let new: usize = outcomes.iter().flat_map(|o| &o.update).map(|update| update.new_bars).sum();
    let and_failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let count = |n: usize, what| {
        let plural = if n == 1 { "" } else { "s" };
        format!("{} {what}{plural}", HumanCount(n as u64))
    };
    stage.print(format_args!(
        "{}{and_failed}, {} in {:.1} s, in {}",
        count(outcomes.len(), "ticker"),
        count(new, "new bar"),
        began.elapsed().as_secs_f64(),
        args.cache.display()
    ));
    Ok(if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Logs what there is to say. What is said of many tickers is said once.
fn tell(outcomes: &[Outcome]) {
    let mut said: Vec<(Severity, String, Vec<&Ticker>)> = Vec::new();
    let mut known = HashMap::new();
    for Outcome { ticker, update } in outcomes {
        let mut say = |severity, message: String| {
            let at = *known.entry((severity, message.clone())).or_insert(said.len());
            match said.get_mut(at) {
                Some((_, _, tickers)) => tickers.push(ticker),
                None => said.push((severity, message, vec![ticker])),
            }
        };
        match update {
            Err(error) => say(Severity::Error, chain(error)),
            Ok(update) => {
                for note in &update.notes {
                    say(note.severity, note.message.clone());
                }
                if let Some(why) = &update.refetched {
                    tracing::info!("{ticker}: the whole history was fetched again: {why}");
                }
            }
        }
    }
    for (severity, message, tickers) in said {
        let whose = match tickers[..] {
            [one] => one.to_string(),
            [first, second] => format!("{first}, {second}"),
            [first, second, ..] => format!("{first}, {second} and {} more", tickers.len() - 2),
            [] => continue,
        };
        match severity {
            Severity::Error => tracing::error!("{whose}: {message}"),
            Severity::Warning => tracing::warn!("{whose}: {message}"),
        }
    }
}

/// An error with its causes, on one line.
fn chain(error: &PriceError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Writes the manifest over the files of the tickers that were asked for.
fn write_manifest(
    folder: &Path,
    cache: &PriceCache,
    run: Run,
    outcomes: &[Outcome],
) -> anyhow::Result<()> {
    let path = folder.join(MANIFEST);
    // While files change, no manifest vouches for them.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", path.display()));
        }
        _ => {}
    }
    let updated = outcomes.iter().filter(|outcome| outcome.update.is_ok());
    let outputs: Result<Vec<FileEntry>, _> = updated
        .map(|outcome| {
            let file = cache.path(&outcome.ticker);
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            digest_file(&file, &name)
        })
        .collect();
    write_atomic(&path, run.finish(outputs?).to_json()?.as_bytes())?;
    Ok(())
}
