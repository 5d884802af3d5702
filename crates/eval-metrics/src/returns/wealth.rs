use crate::MetricError;
use crate::returns::checks::check_values;

/// Refuses fewer than `needed` returns, any that is not finite, and any below −1.
///
/// More than everything cannot be lost and then grow again, so compounding has no meaning there.
pub(crate) fn check_compoundable(returns: &[f64], needed: usize) -> Result<(), MetricError> {
    check_values(returns, needed)?;
    match returns.iter().copied().find(|value| *value < -1.0) {
        Some(value) => {
            let range = "-1 (everything is lost) and above";
            Err(MetricError::OutOfRange { name: "a return", value, range })
        }
        None => Ok(()),
    }
}

/// The wealth after the last return, from 1 before the first.
pub(crate) fn final_wealth(returns: &[f64]) -> Result<f64, MetricError> {
    check_compoundable(returns, 1)?;
    let wealth: f64 = returns.iter().map(|value| 1.0 + value).product();
    if wealth.is_finite() {
        Ok(wealth)
    } else {
        Err(MetricError::Undefined { reason: "the wealth is beyond the range of numbers" })
    }
}
