use crate::MetricError;
use crate::returns::checks::{check_parameter, check_values};
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Downside risk",
        unit: Unit::Percent,
        formula: "√(mean(min(r − target, 0)²))·√P",
        note: "The mean is over all periods; a standard deviation of the losses alone is another figure.",
    },
    compute: |sample| {
        let options = &sample.options;
        downside_risk(sample.returns, options.target, options.periods_per_year)
    },
};

/// Annualized downside risk: `√(mean(min(r − target, 0)²))·√P` over **all** periods; at least 0.
///
/// `target` is a return per period. Source: Sortino and van der Meer (1991); empyrical computes
/// the same.
///
/// # Errors
/// No values, or values or a target that are not finite.
pub fn downside_risk(
    returns: &[f64],
    target: f64,
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    check_values(returns, 1)?;
    check_parameter("the target", target, "finite", target.is_finite())?;
    let squares: f64 = returns.iter().map(|value| (value - target).min(0.0).powi(2)).sum();
    Ok((squares / returns.len() as f64).sqrt() * periods.sqrt())
}
