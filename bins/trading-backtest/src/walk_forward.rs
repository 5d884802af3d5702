use std::ops::Range;

use anyhow::bail;
use backtest_engine::{BacktestConfig, Calls, Market, Record, simulate_between};
use chrono::NaiveDate;
use eval_metrics::returns::{ReturnOptions, ReturnSample, ReturnStatistics, return_statistics};
use serde::Serialize;
use serde_json::{Map, Value};
use stage_cli::{Hint, Stage, Unit};
use thesis_core::Usd;

use crate::config::WalkForwardSettings;
use crate::grid::{GridPoint, run_grid};
use crate::statistics::{returns_of, sharpe_of};

/// Windows that follow each other, each judged with what the one before it chose.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WalkForward {
    pub(crate) folds: Vec<Fold>,
    /// Of all test windows one after the other.
    pub(crate) statistics: ReturnStatistics,
    #[serde(skip)]
    pub(crate) dates: Vec<NaiveDate>,
    #[serde(skip)]
    pub(crate) equity: Vec<f64>,
}

/// A training window and the test window after it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fold {
    pub(crate) train: (NaiveDate, NaiveDate),
    pub(crate) test: (NaiveDate, NaiveDate),
    /// The grid's best in training; empty where nothing was to choose.
    pub(crate) chosen: Map<String, Value>,
    pub(crate) train_sharpe: Option<f64>,
    pub(crate) test_sharpe: Option<f64>,
    pub(crate) test_return: f64,
}

/// Chooses on each training window the configuration with the highest Sharpe ratio and trades it
/// through the test window after it, which begins in cash with the equity of the one before.
///
/// # Errors
/// Windows that do not fit into the sessions.
pub(crate) fn walk_forward(
    stage: &Stage,
    market: &Market,
    calls: &Calls,
    points: &[GridPoint],
    sessions: &Range<usize>,
    windows: WalkForwardSettings,
    options: ReturnOptions,
) -> anyhow::Result<WalkForward> {
    let WalkForwardSettings { train_sessions, test_sessions, expanding } = windows;
    if train_sessions < 3 || test_sessions < 1 {
        bail!("`walk_forward` needs at least 3 sessions to train and 1 to test");
    }
    if train_sessions + test_sessions > sessions.len() {
        return Err(anyhow::anyhow!(
            "{train_sessions} sessions of training and {test_sessions} of test do not fit into {}",
            sessions.len()
        ))
        .hint("take shorter windows: --train-sessions, --test-sessions");
    }
    let Some(mut cash) = points.first().map(|point| point.config.initial_cash) else {
        bail!("the grid is empty");
    };
    let initial_cash = cash.value();
    let starts: Vec<usize> =
        (sessions.start + train_sessions..sessions.end).step_by(test_sessions).collect();
    let bar = stage.progress("walk-forward", starts.len() as u64, Unit::Items);
    let (mut folds, mut dates, mut equity) = (Vec::new(), Vec::new(), Vec::new());
    for start in starts {
        let train = if expanding { sessions.start } else { start - train_sessions }..start;
        let test = start..(start + test_sessions).min(sessions.end);
        let grid = run_grid(market, calls, points, &train, options)?;
        let best = grid.best.unwrap_or(0);
        let config = BacktestConfig { initial_cash: cash, ..points[best].config };
        let outcome = simulate_between(market, calls, &config, Record::Days, test.clone())?;
        let end = outcome.days.last().map_or(cash.value(), |day| day.equity);
        let ends =
            |range: &Range<usize>| (market.dates()[range.start], market.dates()[range.end - 1]);
        folds.push(Fold {
            train: ends(&train),
            test: ends(&test),
            chosen: points[best].parameters.clone(),
            train_sharpe: grid.results[best].sharpe,
            test_sharpe: sharpe_of(&outcome, cash.value(), options).ok(),
            test_return: end / cash.value() - 1.0,
        });
        dates.extend(outcome.days.iter().map(|day| day.date));
        equity.extend(outcome.days.iter().map(|day| day.equity));
        bar.inc(1);
        if outcome.ended.is_some() {
            break;
        }
        cash = Usd::new(end)?;
    }
    bar.finish_and_clear();
    let returns = returns_of(&equity, initial_cash);
    let sample =
        ReturnSample { returns: &returns, dates: Some(&dates), options, ..ReturnSample::default() };
    let statistics = return_statistics(&sample);
    Ok(WalkForward { folds, statistics, dates, equity })
}
