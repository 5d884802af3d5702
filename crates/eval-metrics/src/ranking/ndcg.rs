use serde::{Deserialize, Serialize};

use super::tied_groups::{by_falling_score, check_k};
use crate::MetricError;
use crate::paired::{check_finite, check_pairs, finite};

/// What an item of some relevance is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gain {
    /// The relevance itself (Järvelin and Kekäläinen 2002; scikit-learn).
    Linear,
    /// 2^relevance − 1 (Burges et al. 2005; most learning-to-rank programs).
    Exponential,
}

/// The normalized discounted cumulative gain of the first `k` by score, 0 to 1: the sum of
/// gain / log₂(place + 1), over that of the best order. With `k` above the number of items all
/// count.
///
/// Items of equal score share the mean gain of their places, as in scikit-learn's `ndcg_score`, so
/// that the order of the input never matters: it is the mean over all orders of the ties. Programs
/// that sort once take one of them.
///
/// # Errors
/// [`MetricError::Undefined`] where no item is relevant, where scikit-learn says 0, or on overflow;
/// [`MetricError::OutOfRange`] for a negative relevance or a `k` of 0; [`MetricError::Lengths`],
/// [`MetricError::TooFew`] without an item, and [`MetricError::NotFinite`].
///
/// Source: Järvelin and Kekäläinen (2002); ties by McSherry and Najork (2008).
pub fn ndcg_at_k(
    relevance: &[f64],
    scores: &[f64],
    k: usize,
    gain: Gain,
) -> Result<f64, MetricError> {
    check_pairs(relevance, scores, 1)?;
    check_k(k)?;
    if let Some(value) = relevance.iter().copied().find(|relevance| *relevance < 0.0) {
        return Err(MetricError::OutOfRange { name: "relevance", value, range: "0 and more" });
    }
    let gains: Vec<f64> = relevance.iter().map(|relevance| worth(*relevance, gain)).collect();
    let ideal = discounted(&gains, &gains, k);
    if ideal == 0.0 {
        return Err(MetricError::Undefined { reason: "no item is relevant" });
    }
    check_finite(&gains).and_then(|()| finite(ideal)).map_err(|_| MetricError::Undefined {
        reason: "the gains are too large for 64-bit floats",
    })?;
    Ok((discounted(&gains, scores, k) / ideal).min(1.0))
}

fn worth(relevance: f64, gain: Gain) -> f64 {
    match gain {
        Gain::Linear => relevance,
        Gain::Exponential => (relevance * std::f64::consts::LN_2).exp_m1(),
    }
}

fn discounted(gains: &[f64], scores: &[f64], k: usize) -> f64 {
    let mut sum = 0.0;
    let mut place = 0;
    for group in by_falling_score(scores, gains) {
        let mean = group.iter().sum::<f64>() / group.len() as f64;
        let places = place..(place + group.len()).min(k);
        sum += mean * places.map(|place| 1.0 / (place as f64 + 2.0).log2()).sum::<f64>();
        place += group.len();
    }
    sum
}
