use crate::MetricError;
use crate::paired::{check_pairs, finite};

/// The root of the mean squared error, in the unit of the values; 0 is perfect. It divides by the
/// number of values, not by degrees of freedom.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, [`MetricError::NotFinite`],
/// and [`MetricError::Undefined`] on overflow.
pub fn root_mean_square_error(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check_pairs(truth, predicted, 1)?;
    let sum: f64 = truth.iter().zip(predicted).map(|(t, p)| (t - p) * (t - p)).sum();
    finite((sum / truth.len() as f64).sqrt())
}
