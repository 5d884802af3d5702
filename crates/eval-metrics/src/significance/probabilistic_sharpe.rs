use crate::MetricError;
use crate::returns::checks::check_parameter;
use crate::significance::distributions::normal_cdf;
use crate::significance::sharpe_standard_error::SharpeEstimate;

/// Probabilistic Sharpe ratio: how likely it is that the true Sharpe ratio is above
/// `benchmark_sharpe`; between 0 and 1.
///
/// `Φ((SR − SR*)/σ)` with the standard error of
/// [`sharpe_standard_error`](crate::significance::sharpe_standard_error()). **Both ratios are per
/// period, not annualized**: divide an annual one by `√P`. quantstats compares with 0 only and
/// takes bias-corrected moments. Source: Bailey and López de Prado (2012).
///
/// # Errors
/// As [`sharpe_standard_error`](crate::significance::sharpe_standard_error());
/// [`MetricError::OutOfRange`] for a benchmark that is not finite.
pub fn probabilistic_sharpe(
    returns: &[f64],
    risk_free: f64,
    benchmark_sharpe: f64,
) -> Result<f64, MetricError> {
    let is_valid = benchmark_sharpe.is_finite();
    check_parameter("the benchmark's Sharpe ratio", benchmark_sharpe, "finite", is_valid)?;
    let estimate = SharpeEstimate::of(returns, risk_free)?;
    Ok(normal_cdf((estimate.sharpe - benchmark_sharpe) / estimate.standard_error))
}
