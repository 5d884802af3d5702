use super::probabilities::check_distributions;
use crate::MetricError;

/// For each distribution its highest probability, and whether that class is the true one: what
/// [`reliability_table`](super::reliability_table) and the calibration errors take where there are
/// more than two classes. Of equal probabilities the first class is meant, as `argmax` does.
///
/// # Shapes
/// `distributions`: one row an example, each of as many probabilities as there are classes;
/// `truth`: one class index an example. Both results have one entry an example.
///
/// # Errors
/// [`MetricError::Lengths`], also for rows of different lengths; [`MetricError::TooFew`] without
/// a row; [`MetricError::NotFinite`] with the row's index; [`MetricError::OutOfRange`] for a
/// probability, a class, or a row's sum that is off by more than 1e-5.
pub fn top_class_confidences<R: AsRef<[f64]>>(
    distributions: &[R],
    truth: &[usize],
) -> Result<(Vec<f64>, Vec<bool>), MetricError> {
    check_distributions(distributions, truth)?;
    let top = |(row, truth): (&R, &usize)| {
        let first = (0, f64::NEG_INFINITY);
        let (class, confidence) = row
            .as_ref()
            .iter()
            .enumerate()
            .fold(first, |best, (class, p)| if *p > best.1 { (class, *p) } else { best });
        (confidence, class == *truth)
    };
    Ok(distributions.iter().zip(truth).map(top).unzip())
}
