use crate::MetricError;

/// Above this, the sum of fourth powers of 10⁸ values would be beyond the range of numbers.
const LARGEST: f64 = 1e75;

/// Refuses fewer than `needed` values, any that is NaN or infinite, and any beyond 1e75.
pub(crate) fn check_values(values: &[f64], needed: usize) -> Result<(), MetricError> {
    if values.len() < needed {
        return Err(MetricError::TooFew { needed, got: values.len() });
    }
    // One pass without branches for the good ones; what is wrong is looked for only then.
    if values.iter().fold(true, |is_good, value| is_good & (value.abs() <= LARGEST)) {
        return Ok(());
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(MetricError::NotFinite { index });
    }
    match values.iter().copied().find(|value| value.abs() > LARGEST) {
        Some(value) => {
            Err(MetricError::OutOfRange { name: "a value", value, range: "-1e75 to 1e75" })
        }
        None => Ok(()),
    }
}

/// Refuses a quotient whose divisor was all but 0.
pub(crate) fn check_quotient(value: f64) -> Result<f64, MetricError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(MetricError::Undefined { reason: "the divisor is all but 0" })
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
