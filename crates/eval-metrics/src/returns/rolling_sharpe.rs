use crate::MetricError;
use crate::returns::PeriodsPerYear;
use crate::returns::checks::check_parameter;
use crate::returns::sliding_spread::sliding_spread;

/// [`sharpe`](crate::returns::sharpe()) of each window of `window` returns: `n − window + 1`
/// values, the first of which ends with return `window − 1`.
///
/// A window whose returns do not vary by more than rounding has no Sharpe ratio, and is `None`.
/// O(n) without cancellation: an outlier leaves no trace once the window has passed it.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a window below 2 or a rate that is not finite; fewer returns
/// than one window has, or returns that are not finite.
pub fn rolling_sharpe(
    returns: &[f64],
    window: usize,
    risk_free: f64,
    periods: PeriodsPerYear,
) -> Result<Vec<Option<f64>>, MetricError> {
    check_parameter("the risk-free rate", risk_free, "finite", risk_free.is_finite())?;
    let spreads = sliding_spread(returns, window)?;
    let sharpe = |(mean, std): (f64, f64)| {
        let flat = 16.0 * f64::EPSILON * mean.abs().max(1.0);
        (std > flat).then(|| (mean - risk_free) / std * periods.sqrt())
    };
    Ok(spreads.iter().map(|spread| sharpe((spread.mean, spread.std()))).collect())
}
