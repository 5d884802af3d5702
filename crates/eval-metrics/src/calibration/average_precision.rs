use crate::MetricError;
use crate::paired::{check_finite, check_lengths};

/// The average precision, above 0 to 1: precision at each distinct score from the highest down,
/// weighted by the gain in recall there. Without skill it is about the share of positives.
///
/// This is the sum of steps that scikit-learn's `average_precision_score` has, not the area by
/// trapezoids, which is too good. Equal scores are one step.
///
/// # Errors
/// [`MetricError::Undefined`] without a positive outcome, where scikit-learn says 0;
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, and
/// [`MetricError::NotFinite`].
pub fn average_precision(scores: &[f64], outcomes: &[bool]) -> Result<f64, MetricError> {
    check_lengths(scores.len(), outcomes.len(), 1)?;
    check_finite(scores)?;
    let positives = outcomes.iter().filter(|outcome| **outcome).count();
    if positives == 0 {
        return Err(MetricError::Undefined { reason: "no outcome is positive" });
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let (mut seen, mut hits, mut sum) = (0, 0, 0.0);
    for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let gained = ties.iter().filter(|index| outcomes[**index]).count();
        seen += ties.len();
        hits += gained;
        sum += gained as f64 * (hits as f64 / seen as f64);
    }
    Ok(sum / positives as f64)
}
