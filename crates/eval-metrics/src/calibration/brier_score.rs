use super::probabilities::{check_binary, check_distributions};
use crate::MetricError;

/// The Brier score of probabilities that something happens: the mean squared distance to 1 where
/// it did and to 0 where it did not. 0 (perfect) to 1; always saying one half gives 0.25.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, [`MetricError::NotFinite`],
/// and [`MetricError::OutOfRange`] for a probability outside of 0 to 1.
///
/// Source: Brier (1950), in the halved form that is usual for two classes.
pub fn brier_score(probabilities: &[f64], outcomes: &[bool]) -> Result<f64, MetricError> {
    check_binary(probabilities, outcomes)?;
    let pairs = probabilities.iter().zip(outcomes);
    let sum: f64 = pairs.map(|(p, outcome)| (p - f64::from(*outcome)).powi(2)).sum();
    Ok(sum / probabilities.len() as f64)
}

/// The Brier score of distributions over classes: squared distances to the one-hot truth, summed
/// over the classes and averaged over the rows. 0 (perfect) to 2, as scikit-learn has it for more
/// than two classes. With two classes it is twice [`brier_score`].
///
/// # Shapes
/// `distributions`: one row an example, each of as many probabilities as there are classes;
/// `truth`: one class index an example.
///
/// # Errors
/// [`MetricError::Lengths`], also for rows of different lengths; [`MetricError::TooFew`] without
/// a row; [`MetricError::NotFinite`] with the row's index; [`MetricError::OutOfRange`] for a
/// probability, a class, or a row's sum that is off by more than 1e-5. Rows are not rescaled.
///
/// Source: Brier (1950), "Verification of forecasts expressed in terms of probability".
pub fn brier_score_multiclass<R: AsRef<[f64]>>(
    distributions: &[R],
    truth: &[usize],
) -> Result<f64, MetricError> {
    check_distributions(distributions, truth)?;
    let row_score = |(row, class): (&R, &usize)| -> f64 {
        let distance = |(index, p): (usize, &f64)| (p - f64::from(index == *class)).powi(2);
        row.as_ref().iter().enumerate().map(distance).sum()
    };
    let sum: f64 = distributions.iter().zip(truth).map(row_score).sum();
    Ok(sum / distributions.len() as f64)
}
