use crate::MetricError;
use crate::returns::checks::check_parameter;
use crate::significance::distributions::normal_quantile;
use crate::significance::sharpe_standard_error::SharpeEstimate;

/// Minimum track record length: the periods after which a Sharpe ratio such as this one is above
/// `benchmark_sharpe` with the given confidence.
///
/// `1 + (1 − g1·SR + (g2 + 2)/4·SR²)·(Φ⁻¹(confidence)/(SR − SR*))²`, not rounded, with the moments
/// of [`sharpe_standard_error`](crate::significance::sharpe_standard_error()). **Both ratios are
/// per period.** A series of this length has a
/// [`probabilistic_sharpe`](crate::significance::probabilistic_sharpe()) of `confidence`. Source:
/// Bailey and López de Prado (2012).
///
/// # Errors
/// [`MetricError::Undefined`] where the Sharpe ratio is not above the benchmark's: no record is
/// long enough; [`MetricError::OutOfRange`] for a confidence that is not between 0.5 and 1; else as
/// [`sharpe_standard_error`](crate::significance::sharpe_standard_error()).
pub fn minimum_track_record(
    returns: &[f64],
    risk_free: f64,
    benchmark_sharpe: f64,
    confidence: f64,
) -> Result<f64, MetricError> {
    let is_valid = benchmark_sharpe.is_finite();
    check_parameter("the benchmark's Sharpe ratio", benchmark_sharpe, "finite", is_valid)?;
    let is_valid = (0.5..1.0).contains(&confidence);
    check_parameter("the confidence", confidence, "0.5 and above, below 1", is_valid)?;
    let estimate = SharpeEstimate::of(returns, risk_free)?;
    let distance = estimate.sharpe - benchmark_sharpe;
    if distance <= 0.0 {
        let reason = "the Sharpe ratio is not above the benchmark's, so no record is long enough";
        return Err(MetricError::Undefined { reason });
    }
    let deviations = normal_quantile(confidence) * estimate.standard_error / distance;
    Ok(1.0 + (estimate.count - 1.0) * deviations * deviations)
}
