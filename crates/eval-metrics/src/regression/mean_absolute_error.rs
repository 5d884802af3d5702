use crate::MetricError;
use crate::paired::{check_pairs, finite};

/// The mean absolute error, in the unit of the values; 0 is perfect.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, [`MetricError::NotFinite`],
/// and [`MetricError::Undefined`] on overflow.
pub fn mean_absolute_error(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check_pairs(truth, predicted, 1)?;
    let sum: f64 = truth.iter().zip(predicted).map(|(t, p)| (t - p).abs()).sum();
    finite(sum / truth.len() as f64)
}
