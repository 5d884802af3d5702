use crate::MetricError;

/// Refuses fewer than `needed` values and any that is NaN or infinite.
pub(crate) fn check_values(values: &[f64], needed: usize) -> Result<(), MetricError> {
    if values.len() < needed {
        return Err(MetricError::TooFew { needed, got: values.len() });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(MetricError::NotFinite { index }),
        None => Ok(()),
    }
}

/// Refuses two series of different length, and what [`check_values`] refuses in either.
pub(crate) fn check_pair(left: &[f64], right: &[f64], needed: usize) -> Result<(), MetricError> {
    check_lengths(left.len(), right.len())?;
    check_values(left, needed)?;
    check_values(right, needed)
}

/// Refuses two different lengths.
pub(crate) fn check_lengths(left: usize, right: usize) -> Result<(), MetricError> {
    if left == right { Ok(()) } else { Err(MetricError::Lengths { left, right }) }
}

/// Refuses a parameter for which `is_valid` is false.
pub(crate) fn check_parameter(
    name: &'static str,
    value: f64,
    range: &'static str,
    is_valid: bool,
) -> Result<(), MetricError> {
    if is_valid { Ok(()) } else { Err(MetricError::OutOfRange { name, value, range }) }
}
