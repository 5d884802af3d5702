use crate::MetricError;
use crate::returns::statistic::Statistic;
use crate::returns::tracking_error::active_spread;
use crate::returns::{Convention, PeriodsPerYear, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Information ratio",
        unit: Unit::Ratio,
        formula: "mean(r − b)/std(r − b)·√P",
        note: "Annualized; quantstats and empyrical's excess_sharpe leave it per period.",
    },
    compute: |sample| {
        information_ratio(sample.returns, sample.benchmark()?, sample.options.periods_per_year)
    },
};

/// Information ratio, annualized: `mean(r − b)/std(r − b)·√P` with the sample standard deviation
/// (ddof 1). Source: Goodwin (1998).
///
/// # Errors
/// [`MetricError::Undefined`] where the distance to the benchmark does not vary by more than
/// rounding; different lengths, fewer than two returns, or returns that are not finite.
pub fn information_ratio(
    returns: &[f64],
    benchmark: &[f64],
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    Ok(information_ratio_per_period(returns, benchmark)? * periods.sqrt())
}

/// [`information_ratio`] of one period, not annualized: quantstats' information ratio and
/// empyrical's `excess_sharpe`.
///
/// # Errors
/// As [`information_ratio`].
pub fn information_ratio_per_period(
    returns: &[f64],
    benchmark: &[f64],
) -> Result<f64, MetricError> {
    let reason = "the distance to the benchmark does not vary";
    let spread = active_spread(returns, benchmark)?.varying(reason)?;
    Ok(spread.mean / spread.std)
}
