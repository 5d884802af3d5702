use crate::MetricError;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit, omega};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Profit factor",
        unit: Unit::Ratio,
        formula: "Σ gains / |Σ losses|",
        note: "Of periods, not of trades; the omega ratio at a target of 0.",
    },
    compute: |sample| profit_factor(sample.returns),
};

/// Profit factor of periods: the sum of the gains over that of the losses; at least 0.
///
/// It is the [`omega`] ratio at a threshold of 0. quantstats computes the same, and infinity where
/// there is no loss.
///
/// # Errors
/// [`MetricError::Undefined`] without a loss; no values, or values that are not finite.
pub fn profit_factor(returns: &[f64]) -> Result<f64, MetricError> {
    match omega(returns, 0.0) {
        Err(MetricError::Undefined { .. }) => {
            Err(MetricError::Undefined { reason: "there is no loss" })
        }
        other => other,
    }
}
