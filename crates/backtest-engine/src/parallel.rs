use rayon::prelude::*;

use crate::{BacktestConfig, Calls, EngineError, Market, Outcome, Record, simulate};

/// Simulates each configuration, in parallel; all share the market and the calls.
///
/// Results are in the order of the configurations and the same on any number of threads.
pub fn simulate_each(
    market: &Market,
    calls: &Calls,
    configs: &[BacktestConfig],
    record: Record,
) -> Vec<Result<Outcome, EngineError>> {
    configs.par_iter().map(|config| simulate(market, calls, config, record)).collect()
}
