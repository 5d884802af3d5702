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
    let (left, right) = (unit_deviations(left)?, unit_deviations(right)?);
    let dot: f64 = left.iter().zip(&right).map(|(l, r)| l * r).sum();
    Ok(dot.clamp(-1.0, 1.0))
}

/// Deviations from the mean, scaled to a length of 1.
fn unit_deviations(values: &[f64]) -> Result<Vec<f64>, MetricError> {
    const NO_VARIANCE: MetricError = MetricError::Undefined { reason: "one side has no variance" };
    // The mean of equal values may be one bit off, so that their deviations are not quite 0.
    if values.iter().all(|value| *value == values[0]) {
        return Err(NO_VARIANCE);
    }
    let center = finite(mean(values))?;
    let mut deviations: Vec<f64> = values.iter().map(|value| value - center).collect();
    // Scaled by the largest first, so that squares neither overflow nor vanish.
    let largest = finite(deviations.iter().fold(0.0, |largest: f64, d| largest.max(d.abs())))?;
    if largest == 0.0 {
        return Err(NO_VARIANCE);
    }
    deviations.iter_mut().for_each(|deviation| *deviation /= largest);
    let length = deviations.iter().map(|d| d * d).sum::<f64>().sqrt();
    deviations.iter_mut().for_each(|deviation| *deviation /= length);
    Ok(deviations)
}
