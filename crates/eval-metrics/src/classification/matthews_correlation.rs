use super::ConfusionMatrix;
use crate::MetricError;

/// The Matthews correlation coefficient for any number of classes, −1 to 1: 1 for all right, 0 for
/// no better than chance. With more than two classes the minimum lies between −1 and 0.
///
/// # Errors
/// [`MetricError::Undefined`] where the truth or the predictions are all of one class;
/// scikit-learn says 0 there.
///
/// Source: Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation
/// coefficient".
pub fn matthews_correlation(matrix: &ConfusionMatrix) -> Result<f64, MetricError> {
    let products = |left: &[u64], right: &[u64]| -> i128 {
        left.iter().zip(right).map(|(l, r)| i128::from(*l) * i128::from(*r)).sum()
    };
    let (supports, predictions) = (matrix.supports(), matrix.predictions());
    let total = i128::from(matrix.total());
    let covariance = i128::from(matrix.correct()) * total - products(&supports, &predictions);
    let truth_variance = total * total - products(&supports, &supports);
    let predicted_variance = total * total - products(&predictions, &predictions);
    if truth_variance == 0 {
        return Err(MetricError::Undefined { reason: "the truth is all of one class" });
    }
    if predicted_variance == 0 {
        return Err(MetricError::Undefined { reason: "the predictions are all of one class" });
    }
    Ok(covariance as f64 / (truth_variance as f64 * predicted_variance as f64).sqrt())
}
