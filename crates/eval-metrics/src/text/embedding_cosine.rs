use crate::MetricError;
use crate::paired::check_lengths;

/// The cosine of the angle between two embeddings, −1 to 1, computed in 64-bit floats.
///
/// # Errors
/// [`MetricError::Undefined`] for a vector of zeros; [`MetricError::Lengths`],
/// [`MetricError::TooFew`] for vectors without an element, and [`MetricError::NotFinite`].
pub fn cosine_similarity(left: &[f32], right: &[f32]) -> Result<f64, MetricError> {
    check_lengths(left.len(), right.len(), 1)?;
    for vector in [left, right] {
        if let Some(index) = vector.iter().position(|value| !value.is_finite()) {
            return Err(MetricError::NotFinite { index });
        }
    }
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    // Squares of 32-bit floats neither overflow nor vanish in 64 bits.
    let (left_square, right_square) = (dot(left, left), dot(right, right));
    if left_square == 0.0 || right_square == 0.0 {
        return Err(MetricError::Undefined { reason: "a vector of zeros has no direction" });
    }
    let cosine = dot(left, right) / (left_square.sqrt() * right_square.sqrt());
    Ok(cosine.clamp(-1.0, 1.0))
}

/// The mean cosine of embeddings with those of their references, −1 to 1; pair by pair, not over
/// all combinations.
///
/// # Shapes
/// One row a text on both sides; the two rows of a pair have the same length.
///
/// # Errors
/// [`MetricError::Lengths`] for sides with different numbers of rows, [`MetricError::TooFew`] for
/// none, and those of [`cosine_similarity`] for any pair.
pub fn mean_cosine_similarity<A: AsRef<[f32]>, B: AsRef<[f32]>>(
    left: &[A],
    right: &[B],
) -> Result<f64, MetricError> {
    check_lengths(left.len(), right.len(), 1)?;
    let mut sum = 0.0;
    for (left, right) in left.iter().zip(right) {
        sum += cosine_similarity(left.as_ref(), right.as_ref())?;
    }
    Ok(sum / left.len() as f64)
}
