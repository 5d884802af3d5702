use crate::MetricError;
use crate::returns::checks::check_pair;
use crate::significance::TestResult;

/// Sign test: whether one of two series that belong together is above the other one more often
/// than chance would have it.
///
/// The statistic is the share of pairs in which `left` is above `right`, among those that differ;
/// ties are left out. P-values are exact (binomial with 1/2), the two-sided one twice the smaller
/// of the other two. Nothing is assumed of the distribution but independence. SciPy's `binomtest`
/// computes the same. Source: Dixon and Mood (1946).
///
/// # Errors
/// [`MetricError::Undefined`] where no pair differs; different lengths, no values, or values that
/// are not finite.
pub fn sign_test(left: &[f64], right: &[f64]) -> Result<TestResult, MetricError> {
    check_pair(left, right, 1)?;
    let above = left.iter().zip(right).filter(|(left, right)| left > right).count();
    let below = left.iter().zip(right).filter(|(left, right)| left < right).count();
    let count = above + below;
    if count == 0 {
        return Err(MetricError::Undefined { reason: "no pair differs" });
    }
    let (p_less, p_greater) = (at_most(above, count), at_most(below, count));
    Ok(TestResult {
        statistic: above as f64 / count as f64,
        p_value: (2.0 * p_less.min(p_greater)).min(1.0),
        p_less,
        p_greater,
    })
}

/// The probability of at most `successes` heads in `count` throws of a fair coin.
pub(super) fn at_most(successes: usize, count: usize) -> f64 {
    let failures = count - successes;
    if successes >= failures {
        // Of the two halves the smaller one is summed, so that nothing cancels.
        return if failures == 0 { 1.0 } else { 1.0 - at_most(failures - 1, count) };
    }
    // The terms below are taken relative to that of `successes`, the largest.
    let (mut term, mut sum) = (1.0, 1.0);
    for below in (0..successes).rev() {
        term *= (below + 1) as f64 / (count - below) as f64;
        sum += term;
        if term < sum * f64::EPSILON / 4.0 {
            break;
        }
    }
    // The halves of 1/2^count come in one by one, so that the largest term stays in range.
    let (mut largest, mut halves) = (1.0, count);
    for index in 1..=successes {
        largest *= (failures + index) as f64 / index as f64;
        while largest > 1.0 && halves > 0 {
            largest *= 0.5;
            halves -= 1;
        }
    }
    for _ in 0..halves.min(2_000) {
        largest *= 0.5;
    }
    largest * sum
}
