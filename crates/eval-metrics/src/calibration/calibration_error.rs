use super::{Bins, reliability_table};
use crate::MetricError;

/// The expected calibration error, 0 (calibrated) to 1: the mean of |accuracy − mean confidence|
/// over the bins, weighted by their counts. Bins and their edges as in [`reliability_table`].
///
/// The value depends on the number and kind of bins; give both with it.
///
/// # Errors
/// Those of [`reliability_table`].
///
/// Source: Naeini, Cooper and Hauskrecht (2015); Guo et al. (2017).
pub fn expected_calibration_error(
    confidences: &[f64],
    correct: &[bool],
    bins: Bins,
) -> Result<f64, MetricError> {
    let table = reliability_table(confidences, correct, bins)?;
    let sum: f64 = table.iter().map(|bin| bin.count as f64 * bin.gap()).sum();
    Ok(sum / confidences.len() as f64)
}

/// The maximum calibration error, 0 to 1: the largest |accuracy − mean confidence| of a bin that
/// is not empty. A bin of few values rules it easily.
///
/// # Errors
/// Those of [`reliability_table`].
///
/// Source: Naeini, Cooper and Hauskrecht (2015); Guo et al. (2017).
pub fn maximum_calibration_error(
    confidences: &[f64],
    correct: &[bool],
    bins: Bins,
) -> Result<f64, MetricError> {
    let table = reliability_table(confidences, correct, bins)?;
    Ok(table.iter().map(|bin| bin.gap()).fold(0.0, f64::max))
}
