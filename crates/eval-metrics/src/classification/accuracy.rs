use super::ConfusionMatrix;

/// The share of examples whose class was predicted, 0 to 1.
pub fn accuracy(matrix: &ConfusionMatrix) -> f64 {
    matrix.correct() as f64 / matrix.total() as f64
}
