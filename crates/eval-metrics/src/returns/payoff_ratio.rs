use crate::MetricError;
use crate::returns::checks::{check_quotient, check_values};
use crate::returns::moments::mean;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Payoff ratio",
        unit: Unit::Ratio,
        formula: "mean gain / |mean loss|",
        note: "Of periods, not of trades.",
    },
    compute: |sample| payoff_ratio(sample.returns),
};

/// Payoff ratio of periods: the mean gain over the mean loss; above 0.
///
/// # Errors
/// [`MetricError::Undefined`] without a gain or without a loss; no values, or values that are not
/// finite.
pub fn payoff_ratio(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 1)?;
    let gain = mean(returns.iter().copied().filter(|value| *value > 0.0));
    let loss = mean(returns.iter().copied().filter(|value| *value < 0.0));
    match (gain.is_nan(), loss.is_nan()) {
        (true, _) => Err(MetricError::Undefined { reason: "there is no gain" }),
        (_, true) => Err(MetricError::Undefined { reason: "there is no loss" }),
        _ => check_quotient(gain / -loss),
    }
}
