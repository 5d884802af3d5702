use crate::MetricError;
use crate::returns::checks::check_pair;
use crate::returns::moments::Spread;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Tracking error",
        unit: Unit::Percent,
        formula: "std(r − b)·√P",
        note: "Sample standard deviation (ddof 1), annualized.",
    },
    compute: |sample| {
        tracking_error(sample.returns, sample.benchmark()?, sample.options.periods_per_year)
    },
};

/// Tracking error: the sample standard deviation (ddof 1) of the returns over the benchmark's,
/// times `√P`; at least 0.
///
/// # Errors
/// Different lengths, fewer than two returns, or returns that are not finite.
pub fn tracking_error(
    returns: &[f64],
    benchmark: &[f64],
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    Ok(active_spread(returns, benchmark)?.std * periods.sqrt())
}

/// Mean and standard deviation of the returns over the benchmark's.
pub(crate) fn active_spread(returns: &[f64], benchmark: &[f64]) -> Result<Spread, MetricError> {
    check_pair(returns, benchmark, 2)?;
    Spread::of(returns.iter().zip(benchmark).map(|(value, market)| value - market))
}
