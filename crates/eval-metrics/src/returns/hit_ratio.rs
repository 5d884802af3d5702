use crate::MetricError;
use crate::returns::checks::check_pair;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Hit ratio",
        unit: Unit::Percent,
        formula: "share of periods with r > b",
        note: "Of all periods; a tie with the benchmark is no hit.",
    },
    compute: |sample| hit_ratio(sample.returns, sample.benchmark()?),
};

/// Hit ratio: the share of all periods in which the return is above the benchmark's; between 0 and
/// 1. A tie is no hit.
///
/// # Errors
/// Different lengths, no values, or values that are not finite.
pub fn hit_ratio(returns: &[f64], benchmark: &[f64]) -> Result<f64, MetricError> {
    check_pair(returns, benchmark, 1)?;
    let hits = returns.iter().zip(benchmark).filter(|(value, market)| value > market).count();
    Ok(hits as f64 / returns.len() as f64)
}
