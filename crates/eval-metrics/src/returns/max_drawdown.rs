use crate::MetricError;
use crate::returns::drawdown_series::drawdowns_from_peak;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Max drawdown",
        unit: Unit::Percent,
        formula: "min(wealth / highest wealth so far − 1)",
        note: "The wealth before the first return counts, so a loss on the first day does too.",
    },
    compute: |sample| max_drawdown(sample.returns),
};

/// The deepest fall from a peak: between −1 and 0, and 0 for a series that never falls.
///
/// The wealth of 1 before the first return is a peak like any other.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; no values, or values that are not finite.
pub fn max_drawdown(returns: &[f64]) -> Result<f64, MetricError> {
    Ok(drawdowns_from_peak(returns)?.fold(0.0, f64::min))
}
