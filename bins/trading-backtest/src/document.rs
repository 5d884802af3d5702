use backtest_study::{CostSweep, Grid, RandomCalls, SharpeUncertainty, WalkForward};
use chrono::NaiveDate;
use eval_metrics::returns::ReturnStatistics;
use run_manifest::Manifest;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::BacktestSettings;
use crate::grid::Parameters;
use crate::order_files::RoundTripSummary;
use crate::study::{CallCounts, CostTotals, OrderCounts, Study};

/// The JSON file.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
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
    sensitivity: &'a Option<CostSweep>,
    grid: &'a Option<Grid<Parameters>>,
    walk_forward: &'a Option<WalkForward<Parameters>>,
    conventions: Value,
    warnings: &'a [String],
    manifest: Manifest,
}

pub(crate) fn document(study: &Study, manifest: Manifest) -> Document<'_> {
    let baselines: Map<String, Value> = study
        .baselines
        .iter()
        .map(|baseline| (baseline.key.to_owned(), json_of(&baseline.performance.statistics)))
        .collect();
    let conventions = ReturnStatistics::CONVENTIONS
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
