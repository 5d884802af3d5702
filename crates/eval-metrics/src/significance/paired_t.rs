use crate::MetricError;
use crate::returns::checks::check_pair;
use crate::returns::moments::Spread;
use crate::significance::TestResult;
use crate::significance::diebold_mariano::student_t_result;

/// Paired t-test: whether two series that belong together have the same mean.
///
/// The statistic is `mean(d)/(std(d)/√n)` of `d = left − right` with the sample standard deviation
/// (ddof 1), Student's t with `n − 1` degrees of freedom. The differences are taken as
/// independent; for returns over overlapping horizons take
/// [`diebold_mariano`](crate::significance::diebold_mariano()). SciPy's `ttest_rel` computes the
/// same. Source: Student (1908).
///
/// # Errors
/// [`MetricError::Undefined`] where the differences do not vary by more than rounding; different
/// lengths, fewer than two values, or values that are not finite.
pub fn paired_t(left: &[f64], right: &[f64]) -> Result<TestResult, MetricError> {
    check_pair(left, right, 2)?;
    let spread = Spread::of(left.iter().zip(right).map(|(left, right)| left - right))?;
    let largest = left.iter().chain(right).fold(0.0_f64, |most, value| most.max(value.abs()));
    if spread.std <= 16.0 * f64::EPSILON * largest {
        return Err(MetricError::Undefined { reason: "the differences do not vary" });
    }
    let statistic = spread.mean / (spread.std / spread.count.sqrt());
    Ok(student_t_result(statistic, spread.count - 1.0))
}
