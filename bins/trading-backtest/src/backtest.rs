use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use backtest_engine::{
    Calls, DropReason, EndReason, Market, Outcome, PlacedCalls, Record, round_trips,
    simulate_between,
};
use backtest_report::render;
use chrono::NaiveDate;
use run_manifest::{Manifest, Run};
use serde::Serialize;
use serde_json::{Map, Value};
use stage_cli::{Hint, Stage};
use thesis_core::Severity;

use crate::args::Args;
use crate::baselines::{Baseline, RandomCalls, run_baselines, run_random_calls};
use crate::call_file::{CallFile, read_calls};
use crate::config::BacktestSettings;
use crate::event_file::read_events;
use crate::grid::{Grid, grid_points, run_grid};
use crate::order_files::{RoundTripSummary, days_csv, dropped_csv, equity_csv, fills_csv};
use crate::outputs::Outputs;
use crate::plots::plots;
use crate::prices::{Prices, load_market, unknown_tickers};
use crate::sensitivity::{Sensitivity, sweep_costs};
use crate::sheet::tear_sheet;
use crate::statistics::{Performance, SharpeUncertainty, options, performance, sharpe_uncertainty};
use crate::walk_forward::{WalkForward, walk_forward};

/// Everything that a run found: the JSON, and what the tear sheet is made of.
pub(crate) struct Study {
    pub(crate) settings: BacktestSettings,
    pub(crate) sessions: Range<usize>,
    pub(crate) market: Market,
    pub(crate) outcome: Outcome,
    pub(crate) strategy: Performance,
    pub(crate) uncertainty: SharpeUncertainty,
    pub(crate) baselines: Vec<Baseline>,
    pub(crate) random: Option<RandomCalls>,
    pub(crate) sensitivity: Option<Sensitivity>,
    pub(crate) walk_forward: Option<WalkForward>,
    pub(crate) grid: Option<Grid>,
    pub(crate) calls: CallCounts,
    pub(crate) orders: OrderCounts,
    pub(crate) costs: CostTotals,
    pub(crate) round_trips: RoundTripSummary,
    /// What a reader must know before believing a figure.
    pub(crate) warnings: Vec<String>,
}

/// What became of the rows of the calls' file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CallCounts {
    pub(crate) rows: usize,
    pub(crate) without_action: usize,
    pub(crate) below_min_confidence: usize,
    pub(crate) placed: usize,
    pub(crate) conflicting: usize,
    pub(crate) moved_to_a_session: usize,
}

/// Fills by cause, and dropped orders by reason.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrderCounts {
    pub(crate) fills: usize,
    pub(crate) fills_by_cause: BTreeMap<String, usize>,
    pub(crate) fills_cut_by: BTreeMap<String, usize>,
    pub(crate) dropped: usize,
    pub(crate) dropped_by_reason: BTreeMap<DropReason, usize>,
}

/// Dollars over the whole run.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct CostTotals {
    pub(crate) traded: f64,
    pub(crate) fees: f64,
    pub(crate) slippage: f64,
    pub(crate) borrow: f64,
    pub(crate) interest: f64,
    pub(crate) dividends: f64,
}

/// The stage's work.
pub(crate) fn run(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let settings: BacktestSettings = stage.config(&args.flags())?;
    let config = settings.engine();
    config.validate().hint("every setting is documented in configs/backtest.yaml")?;
    let options = options(&settings)?;
    let points = grid_points(&settings)?;
    let mut outputs = Outputs::begin(&args.out)?;
    let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &settings)?;
    run.set_seed(settings.seed);

    let mut file = read_calls(&args.eval_csv, &settings)?;
    run.add_input(&args.eval_csv)?;
    let events = match &args.events {
        Some(path) => read_events(path, settings.date_order)?,
        None => Vec::new(),
    };
    let prices = load_market(args.prices.as_deref(), &events, &mut file, &settings)?;
    if let Some(path) = &args.events {
        run.add_input(path)?;
    }
    if let Some(path) = &args.prices {
        add_price_inputs(&mut run, path, &prices.market)?;
    }
    let Prices { market, bars, diagnostics } = prices;
    let mut warnings = Vec::new();
    for diagnostic in &diagnostics {
        match diagnostic.severity {
            Severity::Error => tracing::warn!("{diagnostic}"),
            Severity::Warning => tracing::debug!("{diagnostic}"),
        }
    }
    if !diagnostics.is_empty() {
        warnings.push(format!(
            "{} rows of prices were left out or are odd, the first: {}",
            diagnostics.len(),
            diagnostics[0]
        ));
    }
    for (ticker, count) in unknown_tickers(&file, &market) {
        warnings.push(format!("no prices of {ticker}: its {count} calls are dropped"));
    }

    let (calls, placed) = Calls::place(&market, &file.calls, config.entry_price, settings.conflict);
    let sessions = sessions(&market, &calls, &settings)?;
    tracing::info!(
        "{} calls on {} tickers, {} bars, {} sessions from {} to {}",
        placed.calls,
        market.tickers().len(),
        bars,
        sessions.len(),
        market.dates()[sessions.start],
        market.dates()[sessions.end - 1]
    );
    let outcome = simulate_between(&market, &calls, &config, Record::Everything, sessions.clone())?;
    if let Some(end) = &outcome.ended {
        let what = match end.reason {
            EndReason::EquityGone => "equity was gone",
            EndReason::Overflow => "equity was beyond what numbers can hold",
        };
        warnings.push(format!("{what} at the close of {}: the run ended there", end.date));
    }

    let cash = config.initial_cash.value();
    let baselines = run_baselines(&market, &config, &sessions, options)?;
    let benchmark = baselines.first().map(|hold| hold.performance.returns.as_slice());
    let strategy = performance(&outcome, cash, benchmark, options);
    let uncertainty = sharpe_uncertainty(&strategy.returns, &settings, options);
    let draws = (settings.random_draws, settings.seed);
    let found = (strategy.statistics.sharpe, options);
    let random = run_random_calls(stage, &market, &calls, &config, &sessions, draws, found)?;
    let sensitivity = args
        .sensitivity
        .then(|| sweep_costs(&market, &calls, &config, &sessions, &settings.sensitivity, options))
        .transpose()?;
    let grid = (points.len() > 1)
        .then(|| run_grid(&market, &calls, &points, &sessions, options))
        .transpose()?;
    let windows = settings.walk_forward;
    let walk_forward = args
        .walk_forward
        .then(|| walk_forward(stage, &market, &calls, &points, &sessions, windows, options))
        .transpose()?;
    warn_of_idle_end(&market, &calls, &sessions, &settings, &mut warnings);

    let study = Study {
        calls: call_counts(&file, &placed),
        orders: order_counts(&outcome, &placed),
        costs: cost_totals(&outcome),
        round_trips: RoundTripSummary::of(&round_trips(&market, &outcome.fills)),
        settings,
        sessions,
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
    for warning in &study.warnings {
        tracing::warn!("{warning}");
    }
    outputs.write(".days.csv", &days_csv(&study.outcome.days, cash)?)?;
    outputs.write(".fills.csv", &fills_csv(&study.market, &study.outcome)?)?;
    let dropped = dropped_csv(&study.market, &study.outcome, &file, &placed.dropped)?;
    outputs.write(".dropped.csv", &dropped)?;
    if let Some(found) = &study.walk_forward {
        outputs.write(".walk_forward.csv", &equity_csv(&found.dates, &found.equity)?)?;
    }
    let plots = plots(&study);
    for plot in &plots {
        outputs.write(&format!(".plots/{}.svg", plot.name), &plot.svg)?;
    }
    let name = args.out.file_stem().unwrap_or_default().to_string_lossy();
    outputs.write(".html", &render(&tear_sheet(&name, &study, plots, run.manifest())))?;
    outputs.finish(run, |manifest| document(&study, manifest))?;
    stage.print(summary(&study, &args.out));
    Ok(ExitCode::SUCCESS)
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

/// Positions that nothing closes go on after the last call, and so does the equity curve.
fn warn_of_idle_end(
    market: &Market,
    calls: &Calls,
    sessions: &Range<usize>,
    settings: &BacktestSettings,
    warnings: &mut Vec<String>,
) {
    let last_call = sessions.clone().rev().find(|day| calls.row(*day).iter().any(Option::is_some));
    let Some(last_call) = last_call else { return };
    let idle = sessions.end - 1 - last_call;
    if idle > 21 && settings.holding_sessions.is_none() {
        let date = market.dates()[last_call];
        warnings.push(format!(
            "the last call is of {date}, {idle} sessions before the last bar; positions are held on \
             (--to ends the run, --holding-sessions closes them)"
        ));
    }
}

fn call_counts(file: &CallFile, placed: &PlacedCalls) -> CallCounts {
    CallCounts {
        rows: file.rows,
        without_action: file.without_action,
        below_min_confidence: file.unsure,
        placed: placed.calls,
        conflicting: placed.conflicting,
        moved_to_a_session: placed.moved,
    }
}

fn order_counts(outcome: &Outcome, placed: &PlacedCalls) -> OrderCounts {
    let mut dropped_by_reason = BTreeMap::new();
    let unplaced = placed.dropped.iter().map(|(_, reason)| *reason);
    let reasons = unplaced.chain(outcome.dropped.iter().map(|dropped| dropped.reason));
    for reason in reasons {
        *dropped_by_reason.entry(reason).or_default() += 1;
    }
    let (mut fills_by_cause, mut fills_cut_by) = (BTreeMap::new(), BTreeMap::new());
    for fill in &outcome.fills {
        *fills_by_cause.entry(name_of(&fill.cause)).or_default() += 1;
        if let Some(cut) = &fill.cut {
            *fills_cut_by.entry(name_of(cut)).or_default() += 1;
        }
    }
    OrderCounts {
        fills: outcome.fills.len(),
        fills_by_cause,
        fills_cut_by,
        dropped: dropped_by_reason.values().sum(),
        dropped_by_reason,
    }
}

/// The name under which a variant is written to files.
pub(crate) fn name_of(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(name)) => name,
        other => format!("{other:?}"),
    }
}

fn cost_totals(outcome: &Outcome) -> CostTotals {
    outcome.days.iter().fold(CostTotals::default(), |total, day| CostTotals {
        traded: total.traded + day.traded,
        fees: total.fees + day.fees,
        slippage: total.slippage + day.slippage,
        borrow: total.borrow + day.borrow,
        interest: total.interest + day.interest,
        dividends: total.dividends + day.dividends,
    })
}

/// The JSON file.
#[derive(Serialize)]
struct Document<'a> {
    notice: &'static str,
    first_session: NaiveDate,
    last_session: NaiveDate,
    sessions: usize,
    config: &'a BacktestSettings,
    metrics: Value,
    sharpe_uncertainty: &'a SharpeUncertainty,
    baselines: Value,
    random_calls: &'a Option<RandomCalls>,
    calls: &'a CallCounts,
    orders: &'a OrderCounts,
    costs: &'a CostTotals,
    round_trips: &'a RoundTripSummary,
    sensitivity: &'a Option<Sensitivity>,
    grid: &'a Option<Grid>,
    walk_forward: &'a Option<WalkForward>,
    conventions: Value,
    warnings: &'a [String],
    manifest: Manifest,
}

fn document(study: &Study, manifest: Manifest) -> Document<'_> {
    let baselines: Map<String, Value> = study
        .baselines
        .iter()
        .map(|baseline| (baseline.key.to_owned(), json_of(&baseline.performance.statistics)))
        .collect();
    let conventions = eval_metrics::returns::ReturnStatistics::CONVENTIONS
        .iter()
        .map(|(name, convention)| ((*name).to_owned(), json_of(convention)))
        .collect();
    let dates = study.market.dates();
    Document {
        notice: run_manifest::NOTICE,
        first_session: dates[study.sessions.start],
        last_session: dates[study.sessions.end - 1],
        sessions: study.sessions.len(),
        config: &study.settings,
        metrics: json_of(&study.strategy.statistics),
        sharpe_uncertainty: &study.uncertainty,
        baselines: Value::Object(baselines),
        random_calls: &study.random,
        calls: &study.calls,
        orders: &study.orders,
        costs: &study.costs,
        round_trips: &study.round_trips,
        sensitivity: &study.sensitivity,
        grid: &study.grid,
        walk_forward: &study.walk_forward,
        conventions: Value::Object(conventions),
        warnings: &study.warnings,
        manifest,
    }
}

/// A value that always has a JSON form.
fn json_of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

fn summary(study: &Study, out: &Path) -> String {
    let percent = |value: Option<f64>| {
        value.map_or("n/a".to_owned(), |value| format!("{:.2} %", value * 100.0))
    };
    let ratio = |value: Option<f64>| value.map_or("n/a".to_owned(), |value| format!("{value:.3}"));
    let row = |name: &str, of_run: &Performance| {
        let s = &of_run.statistics;
        format!(
            "{name:<24}{:>12}{:>12}{:>10}{:>12}{:>12}\n",
            percent(s.cumulative_return),
            percent(s.cagr),
            ratio(s.sharpe),
            percent(s.max_drawdown),
            percent(s.annualized_volatility),
        )
    };
    let mut text = format!(
        "{:<24}{:>12}{:>12}{:>10}{:>12}{:>12}\n",
        "", "return", "CAGR", "Sharpe", "max DD", "volatility"
    );
    text += &row("Strategy", &study.strategy);
    for Baseline { name, performance, .. } in &study.baselines {
        text += &row(name, performance);
    }
    if let Some(random) = &study.random {
        text += &format!(
            "{:<24}{:>12}{:>12}{:>10}   mean of {} draws; p = {}\n",
            "Random calls",
            percent(Some(random.total_return.mean)),
            "",
            ratio(Some(random.sharpe.mean)),
            random.draws,
            random.p_value.map_or("n/a".to_owned(), |p| format!("{p:.3}")),
        );
    }
    let OrderCounts { fills, dropped, .. } = &study.orders;
    text + &format!("{fills} fills, {dropped} dropped orders, written to {}", out.display())
}
