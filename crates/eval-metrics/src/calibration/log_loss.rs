use super::probabilities::{check_binary, check_distributions};
use crate::MetricError;

/// The log loss of probabilities that something happens, in nats: the mean of −ln of what was
/// given to the truth. 0 is perfect; always saying one half gives ln 2.
///
/// Probabilities are clipped to \[ε, 1 − ε\] with ε = 2⁻⁵² ≈ 2.2e-16, as scikit-learn does for
/// 64-bit floats: one call that was certain and wrong costs 36.04, not infinity. Other programs
/// clip at 1e-15 or 1e-7.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a value, [`MetricError::NotFinite`],
/// and [`MetricError::OutOfRange`] for a probability outside of 0 to 1.
///
/// Source: Good (1952), "Rational decisions".
pub fn log_loss(probabilities: &[f64], outcomes: &[bool]) -> Result<f64, MetricError> {
    check_binary(probabilities, outcomes)?;
    let loss = |(p, outcome): (&f64, &bool)| {
        let p = clip(*p);
        -(if *outcome { p } else { 1.0 - p }).ln()
    };
    let sum: f64 = probabilities.iter().zip(outcomes).map(loss).sum();
    Ok(sum / probabilities.len() as f64)
}

/// The log loss of distributions over classes, in nats; always saying 1/K for each of K classes
/// gives ln K. Clipped as in [`log_loss`]; rows are not rescaled.
///
/// # Shapes
/// `distributions`: one row an example, each of as many probabilities as there are classes;
/// `truth`: one class index an example.
///
/// # Errors
/// [`MetricError::Lengths`], also for rows of different lengths; [`MetricError::TooFew`] without
/// a row; [`MetricError::NotFinite`] with the row's index; [`MetricError::OutOfRange`] for a
/// probability, a class, or a row's sum that is off by more than 1e-5.
pub fn log_loss_multiclass<R: AsRef<[f64]>>(
    distributions: &[R],
    truth: &[usize],
) -> Result<f64, MetricError> {
    check_distributions(distributions, truth)?;
    let loss = |(row, class): (&R, &usize)| -clip(row.as_ref()[*class]).ln();
    let sum: f64 = distributions.iter().zip(truth).map(loss).sum();
    Ok(sum / distributions.len() as f64)
}

fn clip(probability: f64) -> f64 {
    probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}
