use crate::MetricError;
use crate::returns::checks::{check_parameter, check_values};
use crate::returns::moments::Spread;
use crate::returns::quantile::{Quantile, quantile};
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};
use crate::significance::distributions::normal_quantile;

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Value at risk",
        unit: Unit::Percent,
        formula: "the tail's quantile of the returns",
        note: "Historical, linear between neighbours, a loss is negative; quantstats fits a Gaussian.",
    },
    compute: |sample| value_at_risk(sample.returns, sample.options.tail),
};

/// Historical value at risk of one period: the `tail` quantile of the returns, negative for a
/// loss.
///
/// Interpolates linearly between neighbours (Hyndman and Fan's type 7, NumPy's default), as
/// empyrical does. `tail` is the share of the worst periods, such as 0.05.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a tail that is not between 0 and 1; no values, or values that
/// are not finite.
pub fn value_at_risk(returns: &[f64], tail: f64) -> Result<f64, MetricError> {
    Ok(tail_quantile(returns, tail)?.linear)
}

/// [`value_at_risk`] without interpolation: the order statistic at or below the quantile, which is
/// a return that did happen.
///
/// # Errors
/// As [`value_at_risk`].
pub fn lower_value_at_risk(returns: &[f64], tail: f64) -> Result<f64, MetricError> {
    Ok(tail_quantile(returns, tail)?.lower)
}

/// Value at risk of a normal distribution with the mean and sample standard deviation of the
/// returns: `mean + std·Φ⁻¹(tail)`; what quantstats calls value at risk.
///
/// # Errors
/// As [`value_at_risk`], and fewer than two returns.
pub fn gaussian_value_at_risk(returns: &[f64], tail: f64) -> Result<f64, MetricError> {
    check_values(returns, 2)?;
    check_tail(tail)?;
    let spread = Spread::of(returns.iter().copied())?;
    Ok(spread.mean + spread.std * normal_quantile(tail))
}

pub(crate) fn check_tail(tail: f64) -> Result<(), MetricError> {
    check_parameter("the tail", tail, "between 0 and 1", tail > 0.0 && tail < 1.0)
}

fn tail_quantile(returns: &[f64], tail: f64) -> Result<Quantile, MetricError> {
    check_values(returns, 1)?;
    check_tail(tail)?;
    Ok(quantile(&mut returns.to_vec(), tail))
}
