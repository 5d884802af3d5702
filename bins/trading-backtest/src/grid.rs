use std::ops::Range;

use anyhow::{Context, bail};
use backtest_engine::{BacktestConfig, Calls, Market, Record, simulate_between};
use eval_metrics::returns::{ReturnOptions, max_drawdown};
use eval_metrics::significance::deflated_sharpe_of_trials;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};
use stage_cli::Hint;

use crate::args::set;
use crate::config::BacktestSettings;
use crate::statistics::{returns_of, sharpe_of};

/// One configuration of a grid.
#[derive(Debug, Clone)]
pub(crate) struct GridPoint {
    /// The keys that the grid varies, with their values.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) config: BacktestConfig,
}

/// What one configuration made.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GridResult {
    pub(crate) parameters: Map<String, Value>,
    pub(crate) sharpe: Option<f64>,
    pub(crate) total_return: f64,
    pub(crate) max_drawdown: Option<f64>,
}

/// All configurations, and what the best of them is worth once the search is paid for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Grid {
    pub(crate) results: Vec<GridResult>,
    /// Index of the highest Sharpe ratio.
    pub(crate) best: Option<usize>,
    /// The probability that the best's true Sharpe ratio is above that of the best of as many
    /// strategies without skill, of Bailey and López de Prado (2014).
    pub(crate) deflated_sharpe_of_best: Option<f64>,
}

/// Keys that a grid may vary: rules and costs, since all its runs share bars and calls.
const VARIABLE: [&str; 10] = [
    "missing_bar",
    "shorts",
    "action_weights",
    "sizing",
    "holding_sessions",
    "costs",
    "limits",
    "drawdown_stop",
    "delisting",
    "initial_cash",
];

/// Every combination of the grid's values, the last key fastest; the settings themselves where the
/// grid is empty.
///
/// # Errors
/// A key that a grid cannot vary, or values that the setting does not take.
pub(crate) fn grid_points(settings: &BacktestSettings) -> anyhow::Result<Vec<GridPoint>> {
    let mut combinations = vec![Map::new()];
    for (key, values) in &settings.grid {
        let top = key.split('.').next().unwrap_or_default();
        if !VARIABLE.contains(&top) {
            return Err(anyhow::anyhow!("`grid` cannot vary `{key}`"))
                .hint(format!("keys that it can vary begin with {}", VARIABLE.join(", ")));
        }
        let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
            bail!("`grid.{key}` must be a list of values");
        };
        combinations = combinations
            .iter()
            .flat_map(|combination: &Map<String, Value>| {
                values.iter().map(move |value| {
                    let mut combination = combination.clone();
                    combination.insert(key.clone(), value.clone());
                    combination
                })
            })
            .collect();
    }
    combinations.into_iter().map(|parameters| point(settings, parameters)).collect()
}

fn point(settings: &BacktestSettings, parameters: Map<String, Value>) -> anyhow::Result<GridPoint> {
    let Value::Object(mut varied) = serde_json::to_value(settings)? else {
        bail!("settings are a mapping");
    };
    for (key, value) in &parameters {
        let path: Vec<&str> = key.split('.').collect();
        set(&mut varied, &path, value.clone());
    }
    let named = || format!("`grid`: {}", Value::Object(parameters.clone()));
    let varied: BacktestSettings =
        serde_json::from_value(Value::Object(varied)).with_context(named)?;
    let config = varied.engine();
    config.validate().with_context(named)?;
    Ok(GridPoint { parameters, config })
}

/// Runs all configurations in parallel; they share the bars and the calls.
pub(crate) fn run_grid(
    market: &Market,
    calls: &Calls,
    points: &[GridPoint],
    sessions: &Range<usize>,
    options: ReturnOptions,
) -> anyhow::Result<Grid> {
    let one = |point: &GridPoint| -> anyhow::Result<(GridResult, Vec<f64>)> {
        let GridPoint { parameters, config } = point;
        let cash = config.initial_cash.value();
        let outcome = simulate_between(market, calls, config, Record::Days, sessions.clone())?;
        let equity: Vec<f64> = outcome.days.iter().map(|day| day.equity).collect();
        let returns = returns_of(&equity, cash);
        let result = GridResult {
            parameters: parameters.clone(),
            sharpe: sharpe_of(&outcome, cash, options).ok(),
            total_return: equity.last().map_or(0.0, |last| last / cash - 1.0),
            max_drawdown: max_drawdown(&returns).ok(),
        };
        Ok((result, returns))
    };
    let runs: anyhow::Result<Vec<_>> = points.par_iter().map(one).collect();
    let (results, returns): (Vec<GridResult>, Vec<Vec<f64>>) = runs?.into_iter().unzip();
    let ranked = results.iter().enumerate().filter_map(|(i, result)| Some((i, result.sharpe?)));
    // The first of equals: the order of the grid, not of threads.
    let best = ranked.clone().rev().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i);
    // Sharpe ratios per period, as the formula wants them.
    let per_period = options.periods_per_year.sqrt();
    let trials: Vec<f64> = ranked.map(|(_, sharpe)| sharpe / per_period).collect();
    let deflated_sharpe_of_best = best.and_then(|best| {
        deflated_sharpe_of_trials(&returns[best], options.risk_free, &trials).ok()
    });
    Ok(Grid { results, best, deflated_sharpe_of_best })
}
