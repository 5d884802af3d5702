use crate::MetricError;
use crate::returns::checks::{check_parameter, check_quotient, check_values};
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Omega ratio",
        unit: Unit::Ratio,
        formula: "Σ max(r − target, 0) / Σ max(target − r, 0)",
        note: "The target is per period; empyrical and quantstats take an annual one.",
    },
    compute: |sample| omega(sample.returns, sample.options.target),
};

/// Omega ratio: what lies above the threshold over what lies below it; at least 0, and 1 where
/// they balance.
///
/// `threshold` is a return per period; empyrical and quantstats turn an annual one into this by
/// [`compound_rate_per_period`](crate::returns::compound_rate_per_period). Source: Keating and
/// Shadwick (2002).
///
/// # Errors
/// [`MetricError::Undefined`] where nothing is below the threshold; no values; values or a
/// threshold that are not finite.
pub fn omega(returns: &[f64], threshold: f64) -> Result<f64, MetricError> {
    check_values(returns, 1)?;
    check_parameter("the threshold", threshold, "finite", threshold.is_finite())?;
    let (above, below) =
        returns.iter().map(|value| value - threshold).fold((0.0, 0.0), |(above, below), excess| {
            (above + excess.max(0.0), below + (-excess).max(0.0))
        });
    if below <= 0.0 {
        return Err(MetricError::Undefined { reason: "no return is below the threshold" });
    }
    check_quotient(above / below)
}
