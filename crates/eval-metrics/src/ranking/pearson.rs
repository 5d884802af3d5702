use super::Correlation;
use super::correlation::student_p_value;
use crate::MetricError;
use crate::paired::{check_pairs, finite, mean};

/// Pearson's product-moment correlation, with the p-value of Student's t with n − 2 degrees of
/// freedom, as `scipy.stats.pearsonr`; both sides are interchangeable.
///
/// # Errors
/// [`MetricError::Undefined`] where one side has no variance or overflows;
/// [`MetricError::Lengths`], [`MetricError::TooFew`] for fewer than two pairs, and
/// [`MetricError::NotFinite`].
///
/// Source: Pearson (1895); the p-value Student (1908).
pub fn pearson(left: &[f64], right: &[f64]) -> Result<Correlation, MetricError> {
    check_pairs(left, right, 2)?;
    let coefficient = coefficient(left, right)?;
    Ok(Correlation { coefficient, p_value: student_p_value(coefficient, left.len()) })
}

/// The coefficient of finite values, as many on both sides and at least two.
pub(super) fn coefficient(left: &[f64], right: &[f64]) -> Result<f64, MetricError> {
    let (left, right) = (scaled_deviations(left)?, scaled_deviations(right)?);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // One root of the product: equal sides then have exactly 1.
    let coefficient = dot(&left, &right) / (dot(&left, &left) * dot(&right, &right)).sqrt();
    Ok(coefficient.clamp(-1.0, 1.0))
}

/// Deviations from the mean, over the largest: their squares neither overflow nor vanish.
fn scaled_deviations(values: &[f64]) -> Result<Vec<f64>, MetricError> {
    const NO_VARIANCE: MetricError = MetricError::Undefined { reason: "one side has no variance" };
    // The mean of equal values may be one bit off, so that their deviations are not quite 0.
    if values.iter().all(|value| *value == values[0]) {
        return Err(NO_VARIANCE);
    }
    let center = finite(mean(values))?;
    let mut deviations: Vec<f64> = values.iter().map(|value| value - center).collect();
    let largest = finite(deviations.iter().fold(0.0, |largest: f64, d| largest.max(d.abs())))?;
    if largest == 0.0 {
        return Err(NO_VARIANCE);
    }
    deviations.iter_mut().for_each(|deviation| *deviation /= largest);
    Ok(deviations)
}
