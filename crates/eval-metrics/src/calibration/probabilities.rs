use thesis_core::ActionProbabilities;

use crate::MetricError;
use crate::paired::{check_finite, check_lengths};

/// Refuses probabilities outside of 0 to 1, and none at all.
pub(super) fn check_binary(probabilities: &[f64], outcomes: &[bool]) -> Result<(), MetricError> {
    check_lengths(probabilities.len(), outcomes.len(), 1)?;
    check_finite(probabilities)?;
    probabilities.iter().try_for_each(|p| check_probability(*p))
}

/// Refuses rows that are no distribution or differ in length, and classes that are none.
pub(super) fn check_distributions<R: AsRef<[f64]>>(
    distributions: &[R],
    truth: &[usize],
) -> Result<(), MetricError> {
    check_lengths(distributions.len(), truth.len(), 1)?;
    let classes = distributions[0].as_ref().len();
    for (index, (row, class)) in distributions.iter().zip(truth).enumerate() {
        let row = row.as_ref();
        if row.len() != classes {
            return Err(MetricError::Lengths { left: classes, right: row.len() });
        }
        if row.iter().any(|p| !p.is_finite()) {
            return Err(MetricError::NotFinite { index });
        }
        row.iter().try_for_each(|p| check_probability(*p))?;
        if *class >= classes {
            return Err(MetricError::OutOfRange {
                name: "class",
                value: *class as f64,
                range: "0 to the number of probabilities in a row, without it",
            });
        }
        let sum: f64 = row.iter().sum();
        if (sum - 1.0).abs() > ActionProbabilities::TOLERANCE {
            return Err(MetricError::OutOfRange {
                name: "sum of a row",
                value: sum,
                range: "1, up to 0.00001 off",
            });
        }
    }
    Ok(())
}

fn check_probability(value: f64) -> Result<(), MetricError> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(MetricError::OutOfRange { name: "probability", value, range: "0 to 1" })
    }
}
