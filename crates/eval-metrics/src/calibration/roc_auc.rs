use crate::MetricError;
use crate::paired::{check_finite, check_lengths};

/// The area under the ROC curve, 0 to 1: the chance that a random positive has a higher score than
/// a random negative, ties counting one half. 0.5 says nothing, below it the order is inverted.
///
/// Scores may be any finite numbers; only their order counts.
///
/// # Errors
/// [`MetricError::Undefined`] where all outcomes are the same; [`MetricError::Lengths`],
/// [`MetricError::TooFew`] without a value, and [`MetricError::NotFinite`].
///
/// Source: Hanley and McNeil (1982); the Mann–Whitney U statistic over its maximum.
pub fn roc_auc(scores: &[f64], outcomes: &[bool]) -> Result<f64, MetricError> {
    check_lengths(scores.len(), outcomes.len(), 1)?;
    check_finite(scores)?;
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let (mut positives, mut negatives) = (0_u128, 0_u128);
    // Twice U, so that ties stay whole numbers.
    let mut wins = 0_u128;
    for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let up = ties.iter().filter(|index| outcomes[**index]).count() as u128;
        let down = ties.len() as u128 - up;
        wins += up * (2 * negatives + down);
        positives += up;
        negatives += down;
    }
    if positives == 0 || negatives == 0 {
        return Err(MetricError::Undefined { reason: "all outcomes are the same" });
    }
    Ok(wins as f64 / (2 * positives * negatives) as f64)
}
