use crate::MetricError;
use crate::paired::{check_pairs, finite};

/// The mean absolute percentage error as a fraction (0.1 is 10 %), as scikit-learn has it;
/// 0 is perfect, and there is no upper bound.
///
/// It is a poor measure for returns: the error is divided by the truth, so that values near zero
/// rule the mean, and a forecast that is too low can never lose more than 1 while one that is too
/// high can. [`symmetric_mape`](super::symmetric_mape) is bounded; the mean absolute error needs
/// neither care.
///
/// # Errors
/// [`MetricError::Undefined`] where a true value is 0 (scikit-learn divides by 2.2e-16 instead) or
/// on overflow; [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, and
/// [`MetricError::NotFinite`].
pub fn mean_absolute_percentage_error(
    truth: &[f64],
    predicted: &[f64],
) -> Result<f64, MetricError> {
    check_pairs(truth, predicted, 1)?;
    if truth.contains(&0.0) {
        return Err(MetricError::Undefined { reason: "a true value is 0" });
    }
    let sum: f64 = truth.iter().zip(predicted).map(|(t, p)| ((t - p) / t).abs()).sum();
    finite(sum / truth.len() as f64)
}
