use crate::MetricError;

/// Refuses inputs of unequal length, and those with fewer than `needed` values.
pub(crate) fn check_lengths(left: usize, right: usize, needed: usize) -> Result<(), MetricError> {
    if left != right {
        return Err(MetricError::Lengths { left, right });
    }
    if left < needed {
        return Err(MetricError::TooFew { needed, got: left });
    }
    Ok(())
}

/// Refuses NaN and infinite values, and names the first.
pub(crate) fn check_finite(values: &[f64]) -> Result<(), MetricError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(MetricError::NotFinite { index }),
        None => Ok(()),
    }
}

/// Both checks, for two series of numbers.
pub(crate) fn check_pairs(left: &[f64], right: &[f64], needed: usize) -> Result<(), MetricError> {
    check_lengths(left.len(), right.len(), needed)?;
    check_finite(left)?;
    check_finite(right)
}

/// Passes a result on unless it overflowed.
pub(crate) fn finite(value: f64) -> Result<f64, MetricError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(MetricError::Undefined { reason: "the values are too large for 64-bit floats" })
    }
}

/// The arithmetic mean; NaN where there is no value.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
