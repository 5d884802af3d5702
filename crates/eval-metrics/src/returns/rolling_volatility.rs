use crate::MetricError;
use crate::returns::PeriodsPerYear;
use crate::returns::sliding_spread::sliding_spread;

/// [`annualized_volatility`](crate::returns::annualized_volatility()) of each window of `window`
/// returns: `n − window + 1` values, the first of which ends with return `window − 1`.
///
/// O(n) without cancellation: an outlier leaves no trace once the window has passed it.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a window below 2; fewer returns than one window has, or returns
/// that are not finite.
pub fn rolling_volatility(
    returns: &[f64],
    window: usize,
    periods: PeriodsPerYear,
) -> Result<Vec<f64>, MetricError> {
    let spreads = sliding_spread(returns, window)?;
    Ok(spreads.iter().map(|spread| spread.std() * periods.sqrt()).collect())
}
