use crate::MetricError;
use crate::returns::sharpe::sharpe_per_period;
use crate::returns::{PeriodsPerYear, excess_kurtosis, skewness};

/// Standard error of an annualized Sharpe ratio, for returns that need not be normal:
/// `√((1 − g1·SR + (g2 + 2)/4·SR²)/(n − 1))·√P`, above 0.
///
/// SR is the Sharpe ratio of one period with ddof 1, g1 and g2 are the biased
/// [`skewness`](crate::returns::skewness()) and
/// [`excess_kurtosis`](crate::returns::excess_kurtosis()). Returns are taken as independent.
/// Mertens divides by n; `n − 1` is that of Bailey and López de Prado. Source: Mertens (2002);
/// Bailey and López de Prado (2012), equation 4.
///
/// # Errors
/// As [`sharpe`](crate::returns::sharpe()), and [`MetricError::Undefined`] where the variance
/// comes out at 0, which needs returns of two different values only.
pub fn sharpe_standard_error(
    returns: &[f64],
    risk_free: f64,
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    Ok(SharpeEstimate::of(returns, risk_free)?.standard_error * periods.sqrt())
}

/// A Sharpe ratio of one period, and how sure it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharpeEstimate {
    pub(crate) count: f64,
    pub(crate) sharpe: f64,
    pub(crate) standard_error: f64,
}

impl SharpeEstimate {
    pub(crate) fn of(returns: &[f64], risk_free: f64) -> Result<Self, MetricError> {
        let sharpe = sharpe_per_period(returns, risk_free)?;
        let (skew, excess) = (skewness(returns)?, excess_kurtosis(returns)?);
        let count = returns.len() as f64;
        // At least 0 for moments of one sample; rounding may go below.
        let spread = 1.0 - skew * sharpe + (excess + 2.0) / 4.0 * sharpe * sharpe;
        if spread <= 1e-12 {
            let reason = "the Sharpe ratio's standard error is 0";
            return Err(MetricError::Undefined { reason });
        }
        Ok(Self { count, sharpe, standard_error: (spread / (count - 1.0)).sqrt() })
    }
}
