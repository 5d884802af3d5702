use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use backtest_engine::{Calls, EndReason, Market, PlacedCalls, Record, round_trips};
use backtest_report::render;
use backtest_study::{
    Backtest, GridPoint, WalkForward, Windows, run_baselines, run_grid, run_random_calls,
    sharpe_uncertainty, sweep_costs, walk_forward,
};
use run_manifest::Run;
use stage_cli::{Hint, Stage, Unit};
use thesis_core::Severity;

use crate::args::Args;
use crate::call_file::{CallFile, read_calls};
use crate::config::{BacktestSettings, BootstrapSettings, SensitivitySettings};
use crate::document::document;
use crate::event_file::read_events;
use crate::grid::{Parameters, grid_points};
use crate::order_files::{RoundTripSummary, days_csv, dropped_csv, equity_csv, fills_csv};
use crate::outputs::Outputs;
use crate::plots::plots;
use crate::prices::{Prices, load_market, unknown_tickers};
use crate::sheet::tear_sheet;
use crate::study::{CallCounts, CostTotals, OrderCounts, Study};
use crate::summary::summary;

/// The stage's work: read, trade, hold against baselines, write.
pub(crate) fn run(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let settings: BacktestSettings = stage.config(&args.flags())?;
    settings.engine().validate().hint("every setting is documented in configs/backtest.yaml")?;
    let points = grid_points(&settings)?;
    let outputs = Outputs::begin(&args.out)?;
    let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &settings)?;
    run.set_seed(settings.seed);
    let inputs = read(args, &settings, &mut run)?;
    let unplaced = inputs.placed.dropped.clone();
    let (study, file) = study(stage, args, settings, &points, inputs)?;
    for warning in &study.warnings {
        tracing::warn!("{warning}");
    }
    let dropped = dropped_csv(&study.market, &study.outcome, &file, &unplaced)?;
    write(outputs, run, &args.out, &study, &dropped)?;
    stage.print(summary(&study, &args.out));
    Ok(ExitCode::SUCCESS)
}

/// What the files hold.
struct Inputs {
    file: CallFile,
    market: Market,
    calls: Calls,
    placed: PlacedCalls,
    warnings: Vec<String>,
}

fn read(args: &Args, settings: &BacktestSettings, run: &mut Run) -> anyhow::Result<Inputs> {
    let mut file = read_calls(&args.eval_csv, settings)?;
    run.add_input(&args.eval_csv)?;
    let events = match &args.events {
        Some(path) => read_events(path, settings.date_order)?,
        None => Vec::new(),
    };
    let prices = load_market(args.prices.as_deref(), &events, &mut file, settings)?;
    if let Some(path) = &args.events {
        run.add_input(path)?;
    }
    if let Some(path) = &args.prices {
        add_price_inputs(run, path, &prices.market)?;
    }
    let Prices { market, bars, oddities } = prices;
    let mut warnings = Vec::new();
    for (severity, oddity) in &oddities {
        match severity {
            Severity::Error => tracing::warn!("{oddity}"),
            Severity::Warning => tracing::debug!("{oddity}"),
        }
    }
    match &oddities[..] {
        [] => {}
        [(_, only)] => warnings.push(format!("prices: {only}")),
        [(_, first), rest @ ..] => {
            let more = rest.len();
            warnings.push(format!("prices: {first}; and {more} more (--log-level debug has all)"));
        }
    }
    for (ticker, count) in unknown_tickers(&file, &market) {
        warnings.push(format!("no prices of {ticker}: its calls ({count}) are dropped"));
    }
    let (entry, conflict) = (settings.entry_price, settings.conflict);
    let (calls, placed) = Calls::place(&market, &file.calls, entry, conflict);
    let tickers = market.tickers().len();
    tracing::info!("calls: {}; tickers: {tickers}; bars: {bars}", placed.calls);
    Ok(Inputs { file, market, calls, placed, warnings })
}

fn study(
    stage: &Stage,
    args: &Args,
    settings: BacktestSettings,
    points: &[GridPoint<Parameters>],
    inputs: Inputs,
) -> anyhow::Result<(Study, CallFile)> {
    let Inputs { file, market, calls, placed, mut warnings } = inputs;
    let (config, options) = (settings.engine(), settings.return_options()?);
    let sessions = sessions(&market, &calls, &settings)?;
    let backtest = Backtest {
        market: &market,
        calls: &calls,
        config: &config,
        sessions: sessions.clone(),
        options,
    };
    let outcome = backtest.run(Record::Everything)?;
    if let Some(end) = &outcome.ended {
        let what = match end.reason {
            EndReason::EquityGone => "equity was gone",
            EndReason::Overflow => "equity was beyond what numbers can hold",
        };
        warnings.push(format!("{what} at the close of {}: the run ended there", end.date));
    }
    warnings.extend(idle_end(&market, &calls, &sessions, &settings));

    let baselines = run_baselines(&backtest)?;
    let benchmark = baselines.first().map(|hold| hold.performance.returns.as_slice());
    let strategy = backtest.performance(&outcome, benchmark);
    let BootstrapSettings { replicates, confidence } = settings.bootstrap;
    let uncertainty =
        sharpe_uncertainty(&strategy.returns, options, replicates, confidence, settings.seed);
    let random = {
        let bar = stage.progress("random calls", settings.random_draws.into(), Unit::Items);
        let (draws, seed, sharpe) =
            (settings.random_draws, settings.seed, strategy.statistics.sharpe);
        let random = run_random_calls(&backtest, draws, seed, sharpe, &|| bar.inc(1))?;
        bar.finish_and_clear();
        random
    };
    let SensitivitySettings { fee_bps, slippage_bps } = &settings.sensitivity;
    let sensitivity = args
        .sensitivity
        .then(|| sweep_costs(&backtest, fee_bps, slippage_bps))
        .transpose()
        .context("`sensitivity`")?;
    let grid = (points.len() > 1).then(|| run_grid(&backtest, points)).transpose()?;
    let walk_forward = match args.walk_forward {
        true => Some(walked_forward(stage, &backtest, points, settings.walk_forward)?),
        false => None,
    };
    let study = Study {
        calls: CallCounts::of(&file, &placed),
        orders: OrderCounts::of(&outcome, &placed),
        costs: CostTotals::of(&outcome),
        round_trips: RoundTripSummary::of(&round_trips(&market, &outcome.fills)),
        settings,
        sessions,
        options,
        market,
        outcome,
        strategy,
        uncertainty,
        baselines,
        random,
        sensitivity,
        walk_forward,
        grid,
        warnings,
    };
    Ok((study, file))
}

fn walked_forward(
    stage: &Stage,
    backtest: &Backtest<'_>,
    points: &[GridPoint<Parameters>],
    windows: Windows,
) -> anyhow::Result<WalkForward<Parameters>> {
    let folds = windows
        .folds(&backtest.sessions)
        .hint("set the windows: --train-sessions, --test-sessions")?;
    let bar = stage.progress("walk-forward", folds.len() as u64, Unit::Items);
    let found = walk_forward(backtest, points, windows, &|| bar.inc(1))?;
    bar.finish_and_clear();
    Ok(found)
}

/// Writes all files, the JSON last.
fn write(
    mut outputs: Outputs,
    run: Run,
    out: &Path,
    study: &Study,
    dropped: &str,
) -> anyhow::Result<()> {
    let cash = study.settings.initial_cash.value();
    outputs.write(".days.csv", &days_csv(&study.outcome.days, cash)?)?;
    outputs.write(".fills.csv", &fills_csv(&study.market, &study.outcome)?)?;
    outputs.write(".dropped.csv", dropped)?;
    if let Some(found) = &study.walk_forward {
        outputs.write(".walk_forward.csv", &equity_csv(&found.dates, &found.equity)?)?;
    }
    let plots = plots(study);
    for plot in &plots {
        outputs.write(&format!(".plots/{}.svg", plot.name), &plot.svg)?;
    }
    let name = out.file_stem().unwrap_or_default().to_string_lossy();
    outputs.write(".html", &render(&tear_sheet(&name, study, plots, run.manifest())))?;
    outputs.finish(run, |manifest| document(study, manifest))
}

/// The sessions to trade: from the first call, or the first day asked for, to the last bar.
fn sessions(
    market: &Market,
    calls: &Calls,
    settings: &BacktestSettings,
) -> anyhow::Result<Range<usize>> {
    let dates = market.dates();
    let first_call = (0..dates.len()).find(|day| calls.row(*day).iter().any(Option::is_some));
    let first_call = first_call
        .context("no call stands on a session that has prices")
        .hint("compare the dates and tickers of --eval-csv and --prices")?;
    let first = match settings.from {
        Some(from) => dates.partition_point(|date| *date < from),
        None => first_call,
    };
    if first >= dates.len() {
        return Err(anyhow::anyhow!("no session is left from {:?} on", settings.from))
            .hint("--from must lie before the last bar");
    }
    Ok(first..dates.len())
}

/// Names the price files of the tickers traded, each with its digest.
fn add_price_inputs(run: &mut Run, path: &Path, market: &Market) -> anyhow::Result<()> {
    if path.is_file() {
        return Ok(run.add_input(path)?);
    }
    let mut files: Vec<_> = std::fs::read_dir(path)
        .with_context(|| format!("cannot list {}", path.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| {
            let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let ticker = thesis_core::Ticker::new(stem);
            file.is_file() && ticker.is_ok_and(|ticker| market.asset(&ticker).is_some())
        })
        .collect();
    files.sort();
    for file in files {
        run.add_input(&file)?;
    }
    Ok(())
}

/// A warning where nothing closes positions long after the last call.
fn idle_end(
    market: &Market,
    calls: &Calls,
    sessions: &Range<usize>,
    settings: &BacktestSettings,
) -> Option<String> {
    let last_call =
        sessions.clone().rev().find(|day| calls.row(*day).iter().any(Option::is_some))?;
    let idle = sessions.end - 1 - last_call;
    let date = market.dates()[last_call];
    (idle > 21 && settings.holding_sessions.is_none()).then(|| {
        format!(
            "the last call is of {date}, {idle} sessions before the last bar; positions are held on \
             (--to ends the run, --holding-sessions closes them)"
        )
    })
}
