use crate::MetricError;
use crate::returns::statistic::Statistic;
use crate::returns::wealth::final_wealth;
use crate::returns::{Convention, PeriodsPerYear, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "CAGR",
        unit: Unit::Percent,
        formula: "(∏(1 + r))^(P/n) − 1",
        note: "Years are periods over periods a year (empyrical, quantstats), not calendar days.",
    },
    compute: |sample| cagr(sample.returns, sample.options.periods_per_year),
};

/// Compound annual growth rate by periods: `(∏(1 + r))^(P/n) − 1`, from −1 up.
///
/// A year is `periods` returns, as in empyrical and quantstats; see
/// [`calendar_cagr`](crate::returns::calendar_cagr) for years of calendar days. A short series is
/// extrapolated to a whole year.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; no values, or values that are not finite.
pub fn cagr(returns: &[f64], periods: PeriodsPerYear) -> Result<f64, MetricError> {
    let years = returns.len() as f64 / periods.get();
    annual_growth(final_wealth(returns)?, years)
}

/// The rate at which 1 grows to `wealth` in so many years.
pub(crate) fn annual_growth(wealth: f64, years: f64) -> Result<f64, MetricError> {
    let growth = (wealth.ln() / years).exp_m1();
    if growth.is_finite() {
        Ok(growth)
    } else {
        Err(MetricError::Undefined { reason: "the annual growth is beyond the range of numbers" })
    }
}
