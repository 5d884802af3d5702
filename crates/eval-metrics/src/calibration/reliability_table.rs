use serde::{Deserialize, Serialize};

use super::probabilities::check_binary;
use crate::MetricError;

/// How confidences are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bins {
    /// This many bins of equal width from 0 to 1.
    EqualWidth(usize),
    /// This many bins between quantiles (linear interpolation), so that each has about as many
    /// values. Equal confidences stay together: with many of them some bins are empty.
    EqualMass(usize),
}

impl Bins {
    /// The most bins there may be.
    pub const MAX: usize = 100_000;
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The lower edge; a value on it belongs to the bin below, except in the first bin.
    pub lower: f64,
    /// The upper edge; a value on it belongs to this bin.
    pub upper: f64,
    /// Values in it.
    pub count: u64,
    /// Their mean confidence; `None` for an empty bin.
    pub mean_confidence: Option<f64>,
    /// The share of them that were correct; `None` for an empty bin.
    pub accuracy: Option<f64>,
}

impl ReliabilityBin {
    /// |accuracy − mean confidence|; 0 for an empty bin.
    pub fn gap(&self) -> f64 {
        match (self.mean_confidence, self.accuracy) {
            (Some(confidence), Some(accuracy)) => (accuracy - confidence).abs(),
            _ => 0.0,
        }
    }
}

/// Confidences in bins, each with what came true: the numbers of a reliability diagram.
///
/// For several classes, `confidences` are the highest probability of each row and `correct` says
/// whether its class was the true one; for two, they may be the probability of one class and
/// whether it occurred.
///
/// A value on an edge belongs to the bin below, as in Guo et al. (2017) and in scikit-learn's
/// `calibration_curve`; torchmetrics puts it into the bin above.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, [`MetricError::NotFinite`],
/// and [`MetricError::OutOfRange`] for a confidence outside of 0 to 1, for no bin, or for more
/// than [`Bins::MAX`].
///
/// Source: Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks".
pub fn reliability_table(
    confidences: &[f64],
    correct: &[bool],
    bins: Bins,
) -> Result<Vec<ReliabilityBin>, MetricError> {
    check_binary(confidences, correct)?;
    let edges = edges(confidences, bins)?;
    let inner = &edges[1..edges.len() - 1];
    let mut sums = vec![(0_u64, 0.0, 0_u64); edges.len() - 1];
    for (&confidence, &correct) in confidences.iter().zip(correct) {
        let (count, confidences, right) =
            &mut sums[inner.partition_point(|edge| *edge < confidence)];
        *count += 1;
        *confidences += confidence;
        *right += u64::from(correct);
    }
    let bin = |(edges, (count, confidences, right)): (&[f64], (u64, f64, u64))| ReliabilityBin {
        lower: edges[0],
        upper: edges[1],
        count,
        mean_confidence: (count > 0).then(|| confidences / count as f64),
        accuracy: (count > 0).then(|| right as f64 / count as f64),
    };
    Ok(edges.windows(2).zip(sums).map(bin).collect())
}

/// All edges, first and last included.
fn edges(confidences: &[f64], bins: Bins) -> Result<Vec<f64>, MetricError> {
    let (Bins::EqualWidth(number) | Bins::EqualMass(number)) = bins;
    if number == 0 || number > Bins::MAX {
        let value = number as f64;
        return Err(MetricError::OutOfRange { name: "bins", value, range: "1 to 100,000" });
    }
    Ok(match bins {
        Bins::EqualWidth(_) => (0..=number).map(|edge| edge as f64 / number as f64).collect(),
        Bins::EqualMass(_) => {
            let mut sorted = confidences.to_vec();
            sorted.sort_by(f64::total_cmp);
            (0..=number).map(|edge| quantile(&sorted, edge, number)).collect()
        }
    })
}

/// The quantile `numerator / denominator`, with linear interpolation. The position is a fraction
/// of whole numbers, so that a quantile that is one of the values is exactly that value.
fn quantile(sorted: &[f64], numerator: usize, denominator: usize) -> f64 {
    let position = (sorted.len() - 1) as u128 * numerator as u128;
    let index = (position / denominator as u128) as usize;
    let rest = (position % denominator as u128) as f64 / denominator as f64;
    match sorted.get(index + 1) {
        Some(next) if rest > 0.0 => sorted[index] + (next - sorted[index]) * rest,
        _ => sorted[index],
    }
}
