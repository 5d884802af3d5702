use std::ops::Range;

use backtest_engine::{
    BacktestConfig, Calls, EngineError, Market, Outcome, Record, baselines, simulate_between,
};
use eval_metrics::returns::ReturnOptions;
use rayon::prelude::*;
use serde::Serialize;
use stage_cli::{Stage, Unit};

use crate::statistics::{Performance, performance, sharpe_of};

/// What the strategy is held against.
#[derive(Debug, Clone)]
pub(crate) struct Baseline {
    /// Its key in the JSON.
    pub(crate) key: &'static str,
    /// Its name for a reader.
    pub(crate) name: &'static str,
    pub(crate) performance: Performance,
}

/// The baselines of the same sessions and costs; buy and hold, the benchmark, comes first.
pub(crate) fn run_baselines(
    market: &Market,
    strategy: &BacktestConfig,
    sessions: &Range<usize>,
    options: ReturnOptions,
) -> Result<Vec<Baseline>, EngineError> {
    let config = baselines::config(strategy);
    let first = sessions.start;
    let all = [
        ("buy_and_hold", "Buy and hold", baselines::buy_and_hold(market, first)?),
        ("equal_weight_monthly", "Equal weight, monthly", baselines::equal_weight(market, first)?),
        // The hyphen does not break a line.
        ("momentum_12_1", "Momentum 12\u{2011}1", baselines::momentum(market, first)?),
        ("always_hold", "Always HOLD", Calls::none(market)),
    ];
    let cash = config.initial_cash.value();
    let run =
        |calls: &Calls| simulate_between(market, calls, &config, Record::Days, sessions.clone());
    let mut done: Vec<Baseline> = Vec::with_capacity(all.len());
    for (key, name, calls) in &all {
        let benchmark = done.first().map(|hold| hold.performance.returns.as_slice());
        let performance = performance(&run(calls)?, cash, benchmark, options);
        done.push(Baseline { key, name, performance });
    }
    Ok(done)
}

/// What random calls with the same class mix made, under the strategy's own rules.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RandomCalls {
    pub(crate) draws: usize,
    pub(crate) seed: u64,
    pub(crate) total_return: Spread,
    pub(crate) sharpe: Spread,
    /// Share of draws with a Sharpe ratio of at least the strategy's, (k + 1) / (n + 1).
    pub(crate) p_value: Option<f64>,
    /// The mean and the middle nine tenths of equity on each session.
    #[serde(skip)]
    pub(crate) band: Vec<Spread>,
}

/// Mean and middle nine tenths of many values.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// 5 % of the values are below.
    pub(crate) low: f64,
    /// 5 % of the values are above.
    pub(crate) high: f64,
}

/// Trades calls that are dealt anew, `draws` times, in parallel. `None` for no draws.
pub(crate) fn run_random_calls(
    stage: &Stage,
    market: &Market,
    calls: &Calls,
    config: &BacktestConfig,
    sessions: &Range<usize>,
    (draws, seed): (u32, u64),
    (strategy_sharpe, options): (Option<f64>, ReturnOptions),
) -> Result<Option<RandomCalls>, EngineError> {
    if draws == 0 {
        return Ok(None);
    }
    let bar = stage.progress("random calls", draws.into(), Unit::Items);
    let cash = config.initial_cash.value();
    let draw = |index: u32| {
        // Seeds that follow each other give generators that have nothing to do with each other.
        let drawn = baselines::random_calls(calls, seed.wrapping_add(u64::from(index)));
        let outcome = simulate_between(market, &drawn, config, Record::Days, sessions.clone());
        bar.inc(1);
        outcome
    };
    let outcomes: Result<Vec<Outcome>, EngineError> =
        (0..draws).into_par_iter().map(draw).collect();
    bar.finish_and_clear();
    let outcomes = outcomes?;
    let end = |outcome: &Outcome| outcome.days.last().map_or(cash, |day| day.equity);
    let total: Vec<f64> = outcomes.iter().map(|outcome| end(outcome) / cash - 1.0).collect();
    let sharpes: Vec<f64> =
        outcomes.iter().filter_map(|outcome| sharpe_of(outcome, cash, options).ok()).collect();
    let p_value = strategy_sharpe.map(|sharpe| {
        let at_least = sharpes.iter().filter(|drawn| **drawn >= sharpe).count();
        (at_least + 1) as f64 / (sharpes.len() + 1) as f64
    });
    let band = (0..sessions.len()).map(|index| {
        // A draw whose equity is gone stays where it ended.
        let at = |outcome: &Outcome| outcome.days.get(index).map_or(end(outcome), |d| d.equity);
        Spread::of(&outcomes.iter().map(at).collect::<Vec<f64>>())
    });
    Ok(Some(RandomCalls {
        draws: outcomes.len(),
        seed,
        band: band.collect(),
        total_return: Spread::of(&total),
        sharpe: Spread::of(&sharpes),
        p_value,
    }))
}

impl Spread {
    /// Linear interpolation between order statistics; NaN for no values.
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let quantile = |p: f64| {
            let place = p * sorted.len().saturating_sub(1) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            match (sorted.get(below), sorted.get(above)) {
                (Some(low), Some(high)) => low + (high - low) * place.fract(),
                _ => f64::NAN,
            }
        };
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Self { mean, low: quantile(0.05), high: quantile(0.95) }
    }
}
