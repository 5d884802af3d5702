use backtest_engine::{BacktestConfig, Costs, EngineError};
use rayon::prelude::*;
use serde::Serialize;
use thesis_core::Bps;

use crate::Backtest;

/// The net Sharpe ratio over fees and slippage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostSweep {
    /// Fees that were tried.
    pub fee_bps: Vec<Bps>,
    /// Slippages that were tried.
    pub slippage_bps: Vec<Bps>,
    /// Annualized; a row a fee, a column a slippage, `None` where the ratio has no value.
    pub sharpe: Vec<Vec<Option<f64>>>,
}

/// Runs the strategy under each pair of fee and slippage.
///
/// # Errors
/// As [`simulate`](backtest_engine::simulate), such as a slippage of 100 %.
pub fn sweep_costs(
    backtest: &Backtest<'_>,
    fee_bps: &[Bps],
    slippage_bps: &[Bps],
) -> Result<CostSweep, EngineError> {
    let pairs: Vec<(Bps, Bps)> = fee_bps
        .iter()
        .flat_map(|fee| slippage_bps.iter().map(move |slippage| (*fee, *slippage)))
        .collect();
    let one = |(fee_bps, slippage_bps): &(Bps, Bps)| {
        let (fee_bps, slippage_bps) = (*fee_bps, *slippage_bps);
        let costs = Costs { fee_bps, slippage_bps, ..backtest.config.costs };
        let config = BacktestConfig { costs, ..*backtest.config };
        let outcome = backtest.run_other(backtest.calls, &config)?;
        Ok(backtest.sharpe_of(&outcome, config.initial_cash.value()).ok())
    };
    let sharpes: Result<Vec<Option<f64>>, EngineError> = pairs.par_iter().map(one).collect();
    let sharpe = sharpes?.chunks(slippage_bps.len().max(1)).map(<[_]>::to_vec).collect();
    Ok(CostSweep { fee_bps: fee_bps.to_vec(), slippage_bps: slippage_bps.to_vec(), sharpe })
}
