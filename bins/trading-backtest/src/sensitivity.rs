use std::ops::Range;

use anyhow::Context;
use backtest_engine::{BacktestConfig, Calls, Costs, Market, Record, simulate_between};
use eval_metrics::returns::ReturnOptions;
use rayon::prelude::*;
use serde::Serialize;
use thesis_core::Bps;

use crate::config::SensitivitySettings;
use crate::statistics::sharpe_of;

/// The net Sharpe ratio over fees and slippage.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sensitivity {
    /// Basis points.
    pub(crate) fee_bps: Vec<f64>,
    /// Basis points.
    pub(crate) slippage_bps: Vec<f64>,
    /// A row a fee, a column a slippage; `None` where the ratio has no value.
    pub(crate) sharpe: Vec<Vec<Option<f64>>>,
}

/// Runs each pair of fee and slippage in parallel; all share the bars.
///
/// # Errors
/// A rate that is negative or not finite, or sweeps without a value.
pub(crate) fn sweep_costs(
    market: &Market,
    calls: &Calls,
    config: &BacktestConfig,
    sessions: &Range<usize>,
    sweep: &SensitivitySettings,
    options: ReturnOptions,
) -> anyhow::Result<Sensitivity> {
    let SensitivitySettings { fee_bps, slippage_bps } = sweep.clone();
    if fee_bps.is_empty() || slippage_bps.is_empty() {
        anyhow::bail!("`sensitivity` needs at least one value of `fee_bps` and of `slippage_bps`");
    }
    let pairs: Vec<(f64, f64)> = fee_bps
        .iter()
        .flat_map(|fee| slippage_bps.iter().map(move |slippage| (*fee, *slippage)))
        .collect();
    let one = |(fee, slippage): &(f64, f64)| -> anyhow::Result<Option<f64>> {
        let fee_bps = Bps::new(*fee).context("`sensitivity.fee_bps`")?;
        let slippage_bps = Bps::new(*slippage).context("`sensitivity.slippage_bps`")?;
        let costs = Costs { fee_bps, slippage_bps, ..config.costs };
        let config = BacktestConfig { costs, ..*config };
        let outcome = simulate_between(market, calls, &config, Record::Days, sessions.clone())?;
        Ok(sharpe_of(&outcome, config.initial_cash.value(), options).ok())
    };
    let sharpes: anyhow::Result<Vec<Option<f64>>> = pairs.par_iter().map(one).collect();
    let sharpe = sharpes?.chunks(slippage_bps.len()).map(<[_]>::to_vec).collect();
    Ok(Sensitivity { fee_bps, slippage_bps, sharpe })
}
