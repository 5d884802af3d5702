use crate::MetricError;
use crate::paired::{check_pairs, finite, mean};

/// The coefficient of determination, 1 − residual sum of squares / total sum of squares around
/// the mean of the truth. 1 is perfect, 0 as good as always saying the mean, negative worse.
///
/// This is not the squared correlation: a forecast with the right order and the wrong scale can
/// be far below 0.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] for fewer than two values,
/// [`MetricError::NotFinite`], and [`MetricError::Undefined`] for a truth without variance, where
/// scikit-learn says 1 or 0, or on overflow.
pub fn r_squared(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check_pairs(truth, predicted, 2)?;
    let center = mean(truth);
    let total: f64 = truth.iter().map(|t| (t - center) * (t - center)).sum();
    // The mean of equal values may be one bit off, so that their sum of squares is not quite 0.
    if total == 0.0 || truth.iter().all(|value| *value == truth[0]) {
        return Err(MetricError::Undefined { reason: "the truth has no variance" });
    }
    let residual: f64 = truth.iter().zip(predicted).map(|(t, p)| (t - p) * (t - p)).sum();
    finite(1.0 - residual / total)
}
