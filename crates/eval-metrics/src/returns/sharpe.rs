use crate::MetricError;
use crate::returns::checks::{check_parameter, check_values};
use crate::returns::moments::Spread;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Sharpe ratio",
        unit: Unit::Ratio,
        formula: "mean(r − rf)/std(r)·√P",
        note: "Sample standard deviation (ddof 1); the risk-free rate is per period.",
    },
    compute: |sample| {
        let options = &sample.options;
        sharpe(sample.returns, options.risk_free, options.periods_per_year)
    },
};

/// Sharpe ratio: `mean(r − rf)/std(r)·√P` with the sample standard deviation (ddof 1).
///
/// `risk_free` is a rate per period; see
/// [`simple_rate_per_period`](crate::returns::simple_rate_per_period) and
/// [`compound_rate_per_period`](crate::returns::compound_rate_per_period), between which
/// empyrical's and quantstats' figures differ. Source: Sharpe (1994).
///
/// # Errors
/// [`MetricError::Undefined`] for returns that do not vary by more than rounding; fewer than two
/// returns; values or a rate that are not finite.
pub fn sharpe(
    returns: &[f64],
    risk_free: f64,
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    Ok(sharpe_per_period(returns, risk_free)? * periods.sqrt())
}

/// [`sharpe`] with the population standard deviation (ddof 0), as NumPy's `std` has it by default.
///
/// # Errors
/// As [`sharpe`].
pub fn population_sharpe(
    returns: &[f64],
    risk_free: f64,
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    let count = returns.len() as f64;
    Ok(sharpe(returns, risk_free, periods)? * (count / (count - 1.0)).sqrt())
}

/// The Sharpe ratio of one period, not annualized; see [`sharpe`].
pub(crate) fn sharpe_per_period(returns: &[f64], risk_free: f64) -> Result<f64, MetricError> {
    check_values(returns, 2)?;
    check_parameter("the risk-free rate", risk_free, "finite", risk_free.is_finite())?;
    let spread = Spread::of(returns.iter().copied())?.varying("the returns do not vary")?;
    Ok((spread.mean - risk_free) / spread.std)
}
