use std::f64::consts::TAU;

use crate::MetricError;
use crate::returns::checks::check_values;
use crate::returns::moments::{Spread, mean};
use crate::returns::statistic::Statistic;
use crate::returns::value_at_risk::check_tail;
use crate::returns::{Convention, Unit};
use crate::significance::distributions::normal_quantile;

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Conditional value at risk",
        unit: Unit::Percent,
        formula: "mean of the ⌊(n − 1)·tail⌋ + 1 lowest returns",
        note: "Historical (empyrical), a loss is negative; quantstats fits a Gaussian.",
    },
    compute: |sample| conditional_value_at_risk(sample.returns, sample.options.tail),
};

/// Historical conditional value at risk (expected shortfall) of one period: the mean of the
/// `⌊(n − 1)·tail⌋ + 1` lowest returns, negative for a loss.
///
/// These are the returns at or below [`value_at_risk`](crate::returns::value_at_risk()); where
/// several equal it, as many count as belong to the tail. empyrical computes the same.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a tail that is not between 0 and 1; no values, or values that
/// are not finite.
pub fn conditional_value_at_risk(returns: &[f64], tail: f64) -> Result<f64, MetricError> {
    check_values(returns, 1)?;
    check_tail(tail)?;
    let last = returns.len() - 1;
    let index = ((last as f64 * tail) as usize).min(last);
    let mut returns = returns.to_vec();
    returns.select_nth_unstable_by(index, f64::total_cmp);
    Ok(mean(returns[..=index].iter().copied()))
}

/// Expected shortfall of a normal distribution with the mean and sample standard deviation of the
/// returns: `mean − std·φ(Φ⁻¹(tail))/tail`; what quantstats calls conditional value at risk.
///
/// # Errors
/// As [`conditional_value_at_risk`], and fewer than two returns.
pub fn gaussian_conditional_value_at_risk(returns: &[f64], tail: f64) -> Result<f64, MetricError> {
    check_values(returns, 2)?;
    check_tail(tail)?;
    let spread = Spread::of(returns.iter().copied())?;
    let quantile = normal_quantile(tail);
    let density = (-quantile * quantile / 2.0).exp() / TAU.sqrt();
    Ok(spread.mean - spread.std * density / tail)
}
