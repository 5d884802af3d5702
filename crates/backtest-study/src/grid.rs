use backtest_engine::{BacktestConfig, EngineError};
use eval_metrics::returns::max_drawdown;
use eval_metrics::significance::deflated_sharpe_of_trials;
use rayon::prelude::*;
use serde::Serialize;

use crate::{Backtest, returns_of};

/// One configuration of a grid, with what the caller knows it by.
#[derive(Debug, Clone)]
pub struct GridPoint<P> {
    /// Such as the settings that vary and their values.
    pub parameters: P,
    /// The rules.
    pub config: BacktestConfig,
}

/// What one configuration made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GridResult<P> {
    /// Of its point.
    pub parameters: P,
    /// Annualized; `None` where it has no value.
    pub sharpe: Option<f64>,
    /// Return over all sessions, as a fraction.
    pub total_return: f64,
    /// From −1 to 0.
    pub max_drawdown: Option<f64>,
}

/// All configurations, and what the best of them is worth once the search is paid for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grid<P> {
    /// In the order of the points.
    pub results: Vec<GridResult<P>>,
    /// Index of the highest Sharpe ratio, the first of equals.
    pub best: Option<usize>,
    /// The probability that the best's true Sharpe ratio is above that of the best of as many
    /// strategies without skill. Source: Bailey and López de Prado (2014).
    pub deflated_sharpe_of_best: Option<f64>,
}

/// Runs all configurations in parallel.
///
/// # Errors
/// As [`simulate`](backtest_engine::simulate).
pub fn run_grid<P: Clone + Send + Sync>(
    backtest: &Backtest<'_>,
    points: &[GridPoint<P>],
) -> Result<Grid<P>, EngineError> {
    let one = |point: &GridPoint<P>| -> Result<(GridResult<P>, Vec<f64>), EngineError> {
        let GridPoint { parameters, config } = point;
        let cash = config.initial_cash.value();
        let outcome = backtest.run_other(backtest.calls, config)?;
        let equity: Vec<f64> = outcome.days.iter().map(|day| day.equity).collect();
        let returns = returns_of(&equity, cash);
        let result = GridResult {
            parameters: parameters.clone(),
            sharpe: backtest.sharpe_of(&outcome, cash).ok(),
            total_return: equity.last().map_or(0.0, |last| last / cash - 1.0),
            max_drawdown: max_drawdown(&returns).ok(),
        };
        Ok((result, returns))
    };
    let runs: Result<Vec<_>, EngineError> = points.par_iter().map(one).collect();
    let (results, returns): (Vec<GridResult<P>>, Vec<Vec<f64>>) = runs?.into_iter().unzip();
    let ranked = results.iter().enumerate().filter_map(|(i, result)| Some((i, result.sharpe?)));
    // From the back, since `max_by` keeps the last of equals.
    let best = ranked.clone().rev().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i);
    // The formula wants ratios per period.
    let per_period = backtest.options.periods_per_year.sqrt();
    let trials: Vec<f64> = ranked.map(|(_, sharpe)| sharpe / per_period).collect();
    let risk_free = backtest.options.risk_free;
    let deflated_sharpe_of_best =
        best.and_then(|best| deflated_sharpe_of_trials(&returns[best], risk_free, &trials).ok());
    Ok(Grid { results, best, deflated_sharpe_of_best })
}
