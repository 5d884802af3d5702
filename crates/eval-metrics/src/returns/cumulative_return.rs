use crate::MetricError;
use crate::returns::statistic::Statistic;
use crate::returns::wealth::final_wealth;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Cumulative return",
        unit: Unit::Percent,
        formula: "∏(1 + r) − 1",
        note: "Compounded; programs that sum returns give another figure.",
    },
    compute: |sample| cumulative_return(sample.returns),
};

/// The return of the whole series, compounded: `∏(1 + r) − 1`, from −1 up.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; no values, or values that are not finite.
pub fn cumulative_return(returns: &[f64]) -> Result<f64, MetricError> {
    Ok(final_wealth(returns)? - 1.0)
}
