use serde::{Deserialize, Serialize};

use super::ConfusionMatrix;
use crate::MetricError;

/// How much a disagreement counts by the distance between the two class indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KappaWeights {
    /// Every disagreement counts 1.
    Unweighted,
    /// The distance.
    Linear,
    /// The distance squared, for classes in an order such as that of `Action::ALL`.
    Quadratic,
}

/// Cohen's kappa: agreement beyond what the two distributions of classes would give by chance.
/// 1 for all right, 0 for chance, negative for worse.
///
/// Distances are between indices of the matrix, absent classes included. scikit-learn does the
/// same where it is given the labels; without, it closes the gaps that absent classes leave.
///
/// # Errors
/// [`MetricError::Undefined`] where truth and predictions are all of the same class: chance
/// alone agrees there. scikit-learn returns NaN.
///
/// Source: Cohen (1960); with weights Cohen (1968), "Weighted kappa".
pub fn cohen_kappa(matrix: &ConfusionMatrix, weights: KappaWeights) -> Result<f64, MetricError> {
    let (supports, predictions) = (matrix.supports(), matrix.predictions());
    let total = matrix.total() as f64;
    let (mut observed, mut expected) = (0.0, 0.0);
    for (truth, row) in matrix.rows().iter().enumerate() {
        for (predicted, &count) in row.iter().enumerate() {
            let weight = weight(weights, truth.abs_diff(predicted));
            observed += weight * count as f64;
            expected += weight * (supports[truth] as f64 * predictions[predicted] as f64 / total);
        }
    }
    if expected == 0.0 {
        return Err(MetricError::Undefined {
            reason: "truth and predictions are all of the same class",
        });
    }
    Ok(1.0 - observed / expected)
}

fn weight(weights: KappaWeights, distance: usize) -> f64 {
    match weights {
        KappaWeights::Unweighted => f64::from(u8::from(distance > 0)),
        KappaWeights::Linear => distance as f64,
        KappaWeights::Quadratic => (distance * distance) as f64,
    }
}
