use super::tied_groups::{by_falling_score, check_k};
use crate::MetricError;
use crate::paired::{check_finite, check_lengths};

/// The share of relevant items among the first `k` by score, 0 to 1.
///
/// It divides by `k` even where there are fewer items, as trec_eval does: places that stay empty
/// are misses. Where the place `k` falls among items of equal score, they count with the share of
/// them that fits, which is the expected value over all orders of the ties.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a `k` of 0; [`MetricError::Lengths`], [`MetricError::TooFew`]
/// without an item, and [`MetricError::NotFinite`].
pub fn precision_at_k(relevant: &[bool], scores: &[f64], k: usize) -> Result<f64, MetricError> {
    Ok(hits_at_k(relevant, scores, k)? / k as f64)
}

/// The share of all relevant items that is among the first `k` by score, 0 to 1; ties as in
/// [`precision_at_k`].
///
/// # Errors
/// Those of [`precision_at_k`], and [`MetricError::Undefined`] where no item is relevant.
pub fn recall_at_k(relevant: &[bool], scores: &[f64], k: usize) -> Result<f64, MetricError> {
    let hits = hits_at_k(relevant, scores, k)?;
    match relevant.iter().filter(|relevant| **relevant).count() {
        0 => Err(MetricError::Undefined { reason: "no item is relevant" }),
        all => Ok(hits / all as f64),
    }
}

fn hits_at_k(relevant: &[bool], scores: &[f64], k: usize) -> Result<f64, MetricError> {
    check_lengths(relevant.len(), scores.len(), 1)?;
    check_finite(scores)?;
    check_k(k)?;
    let mut hits = 0.0;
    let mut left = k;
    for group in by_falling_score(scores, relevant) {
        let taken = left.min(group.len());
        let relevant = group.iter().filter(|relevant| **relevant).count();
        hits += (relevant * taken) as f64 / group.len() as f64;
        left -= taken;
    }
    Ok(hits)
}
