use super::Correlation;
use super::correlation::student_p_value;
use super::pearson::coefficient;
use super::ranks::average_ranks;
use crate::MetricError;
use crate::paired::check_pairs;

/// Spearman's rank correlation: [`pearson`](super::pearson) of the ranks, ties sharing the mean of
/// theirs, with the p-value of Student's t with n − 2 degrees of freedom, as
/// `scipy.stats.spearmanr`. That p-value is an approximation and poor below some ten pairs.
///
/// # Errors
/// [`MetricError::Undefined`] where all values of one side are equal; [`MetricError::Lengths`],
/// [`MetricError::TooFew`] for fewer than two pairs, and [`MetricError::NotFinite`].
///
/// Source: Spearman (1904).
pub fn spearman(left: &[f64], right: &[f64]) -> Result<Correlation, MetricError> {
    check_pairs(left, right, 2)?;
    let coefficient = coefficient(&average_ranks(left), &average_ranks(right))?;
    Ok(Correlation { coefficient, p_value: student_p_value(coefficient, left.len()) })
}
