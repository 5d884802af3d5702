use crate::MetricError;
use crate::returns::wealth::check_compoundable;

/// The distance below the highest wealth so far after each return: as many values, each between
/// −1 and 0.
///
/// The wealth of 1 before the first return is a peak like any other. empyrical and quantstats
/// compute the same.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; no values, or values that are not finite.
pub fn drawdown_series(returns: &[f64]) -> Result<Vec<f64>, MetricError> {
    Ok(drawdowns_from_peak(returns)?.collect())
}

pub(crate) fn drawdowns_from_peak(
    returns: &[f64],
) -> Result<impl Iterator<Item = f64>, MetricError> {
    check_compoundable(returns, 1)?;
    // The wealth as a share of its peak: it cannot overflow, and starts afresh at each peak.
    Ok(returns.iter().scan(1.0_f64, |share, value| {
        *share = (*share * (1.0 + value)).min(1.0);
        Some(*share - 1.0)
    }))
}
