use backtest_engine::{EngineError, Outcome, baselines};
use rayon::prelude::*;
use serde::Serialize;

use crate::Backtest;

/// What random calls with the same class mix made, under the strategy's own rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RandomCalls {
    /// How many times the calls were dealt.
    pub draws: usize,
    /// Of the first draw; the others follow it.
    pub seed: u64,
    /// Return over all sessions, as a fraction.
    pub total_return: Spread,
    /// Annualized; draws without a ratio are left out.
    pub sharpe: Spread,
    /// Share of draws with a Sharpe ratio of at least the strategy's, (k + 1) / (n + 1). Source:
    /// Davison and Hinkley (1997), section 4.2.
    pub p_value: Option<f64>,
    /// Equity at each close, in US dollars. A draw whose equity is gone stays where it ended.
    #[serde(skip)]
    pub band: Vec<Spread>,
}

/// Mean and middle nine tenths of many values; NaN for none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// 5 % of the values are below; linear between neighbours.
    pub low: f64,
    /// 5 % of the values are above.
    pub high: f64,
}

/// Deals the calls anew among their places, `draws` times in parallel, and trades them. `None` for no
/// draws. `done` is told of each.
///
/// # Errors
/// As [`simulate`](backtest_engine::simulate).
pub fn run_random_calls(
    backtest: &Backtest<'_>,
    draws: u32,
    seed: u64,
    strategy_sharpe: Option<f64>,
    done: &(dyn Fn() + Sync),
) -> Result<Option<RandomCalls>, EngineError> {
    if draws == 0 {
        return Ok(None);
    }
    let cash = backtest.config.initial_cash.value();
    let draw = |index: u32| {
        // Seeds that follow each other give generators that have nothing to do with each other.
        let drawn = baselines::random_calls(backtest.calls, seed.wrapping_add(u64::from(index)));
        let outcome = backtest.run_other(&drawn, backtest.config);
        done();
        outcome
    };
    let outcomes: Result<Vec<Outcome>, EngineError> =
        (0..draws).into_par_iter().map(draw).collect();
    let outcomes = outcomes?;
    let end = |outcome: &Outcome| outcome.days.last().map_or(cash, |day| day.equity);
    let total: Vec<f64> = outcomes.iter().map(|outcome| end(outcome) / cash - 1.0).collect();
    let sharpes: Vec<f64> =
        outcomes.iter().filter_map(|outcome| backtest.sharpe_of(outcome, cash).ok()).collect();
    let p_value = strategy_sharpe.map(|sharpe| {
        let at_least = sharpes.iter().filter(|drawn| **drawn >= sharpe).count();
        (at_least + 1) as f64 / (sharpes.len() + 1) as f64
    });
    let band = (0..backtest.sessions.len()).map(|index| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_nine_tenths() {
        // numpy 2.4: np.quantile(range(11), [0.05, 0.95]) is 0.5 and 9.5.
        let values: Vec<f64> = (0..11).rev().map(f64::from).collect();
        assert_eq!(Spread::of(&values), Spread { mean: 5.0, low: 0.5, high: 9.5 });
        assert!(Spread::of(&[]).low.is_nan());
    }
}
