use crate::MetricError;
use crate::returns::checks::check_values;

/// The wealth after each return, from 1 before the first.
///
/// # Errors
/// Besides no values and values that are not finite, [`MetricError::OutOfRange`] for a return
/// below −1: more than everything cannot be lost and then grow again.
pub(crate) fn wealth(returns: &[f64]) -> Result<impl Iterator<Item = f64> + Clone, MetricError> {
    check_values(returns, 1)?;
    if let Some(value) = returns.iter().copied().find(|value| *value < -1.0) {
        let range = "-1 (everything is lost) and above";
        return Err(MetricError::OutOfRange { name: "a return", value, range });
    }
    Ok(returns.iter().scan(1.0, |wealth, value| {
        *wealth *= 1.0 + value;
        Some(*wealth)
    }))
}

/// The wealth after the last return; see [`wealth`].
pub(crate) fn final_wealth(returns: &[f64]) -> Result<f64, MetricError> {
    let last = wealth(returns)?.last().unwrap_or(1.0);
    if last.is_finite() {
        Ok(last)
    } else {
        Err(MetricError::Undefined { reason: "the wealth is beyond the range of numbers" })
    }
}
