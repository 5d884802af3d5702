use crate::MetricError;
use crate::paired::{check_pairs, finite};

/// The symmetric mean absolute percentage error in percent, 0 (perfect) to 200: the mean of
/// 200 · |t − p| / (|t| + |p|), as in the M4 competition. Other programs leave out the factor 2
/// and end at 100, or give a fraction.
///
/// A pair of zeros is without error and counts 0. A forecast of the wrong sign always counts 200,
/// however small both are.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, [`MetricError::NotFinite`],
/// and [`MetricError::Undefined`] on overflow.
///
/// Source: Makridakis (1993); Makridakis, Spiliotis and Assimakopoulos (2020).
pub fn symmetric_mape(truth: &[f64], predicted: &[f64]) -> Result<f64, MetricError> {
    check_pairs(truth, predicted, 1)?;
    let term = |(t, p): (&f64, &f64)| {
        if t == p { 0.0 } else { (t - p).abs() / (t.abs() + p.abs()) }
    };
    let sum: f64 = truth.iter().zip(predicted).map(term).sum();
    finite(200.0 * sum / truth.len() as f64)
}
