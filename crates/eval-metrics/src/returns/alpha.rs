use crate::MetricError;
use crate::returns::checks::check_parameter;
use crate::returns::moments::mean;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit, beta};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Alpha",
        unit: Unit::Percent,
        formula: "(1 + mean((r − rf) − β(b − rf)))^P − 1",
        note: "Annualized by compounding (empyrical); quantstats multiplies by P.",
    },
    compute: |sample| {
        let options = &sample.options;
        let benchmark = sample.benchmark()?;
        alpha(sample.returns, benchmark, options.risk_free, options.periods_per_year)
    },
};

/// Jensen's alpha, annualized by compounding as empyrical does:
/// `(1 + mean((r − rf) − β(b − rf)))^P − 1`.
///
/// `risk_free` is a rate per period, `β` is [`beta`]. Source: Jensen (1968).
///
/// # Errors
/// As [`beta`]; [`MetricError::OutOfRange`] for a rate that is not finite;
/// [`MetricError::Undefined`] for an alpha of less than −100 % a period.
pub fn alpha(
    returns: &[f64],
    benchmark: &[f64],
    risk_free: f64,
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    let alpha = alpha_per_period(returns, benchmark, risk_free)?;
    let annual = (alpha.ln_1p() * periods.get()).exp_m1();
    if annual.is_finite() {
        Ok(annual)
    } else {
        Err(MetricError::Undefined { reason: "alpha cannot be compounded over a year" })
    }
}

/// Jensen's alpha, annualized by multiplication as quantstats does:
/// `mean((r − rf) − β(b − rf))·P`; see [`alpha`].
///
/// # Errors
/// As [`beta`]; [`MetricError::OutOfRange`] for a rate that is not finite.
pub fn simple_alpha(
    returns: &[f64],
    benchmark: &[f64],
    risk_free: f64,
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    Ok(alpha_per_period(returns, benchmark, risk_free)? * periods.get())
}

fn alpha_per_period(
    returns: &[f64],
    benchmark: &[f64],
    risk_free: f64,
) -> Result<f64, MetricError> {
    check_parameter("the risk-free rate", risk_free, "finite", risk_free.is_finite())?;
    let beta = beta(returns, benchmark)?;
    let own = mean(returns.iter().copied()) - risk_free;
    Ok(own - beta * (mean(benchmark.iter().copied()) - risk_free))
}
