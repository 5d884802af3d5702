use backtest_engine::{Calls, EngineError, baselines};

use crate::{Backtest, Performance};

/// What the strategy is held against.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// Its key in files.
    pub key: &'static str,
    /// Its name for a reader.
    pub name: &'static str,
    /// What it made.
    pub performance: Performance,
}

/// Buy and hold (the benchmark of the others, so it comes first), equal weight, 12-1 momentum and
/// always-HOLD, over the same sessions and under the same costs.
///
/// # Errors
/// As [`simulate`](backtest_engine::simulate).
pub fn run_baselines(backtest: &Backtest<'_>) -> Result<Vec<Baseline>, EngineError> {
    let (market, first) = (backtest.market, backtest.sessions.start);
    let config = baselines::config(backtest.config);
    let all = [
        ("buy_and_hold", "Buy and hold", baselines::buy_and_hold(market, first)?),
        ("equal_weight_monthly", "Equal weight, monthly", baselines::equal_weight(market, first)?),
        // The hyphen does not break a line.
        ("momentum_12_1", "Momentum 12\u{2011}1", baselines::momentum(market, first)?),
        ("always_hold", "Always HOLD", Calls::none(market)),
    ];
    let mut done: Vec<Baseline> = Vec::with_capacity(all.len());
    for (key, name, calls) in &all {
        let benchmark = done.first().map(|hold| hold.performance.returns.as_slice());
        let performance = backtest.performance(&backtest.run_other(calls, &config)?, benchmark);
        done.push(Baseline { key, name, performance });
    }
    Ok(done)
}
