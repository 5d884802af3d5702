use serde::Serialize;

use super::distributions::chi_squared_beyond_1;
use super::sign_test::at_most;
use crate::MetricError;
use crate::paired::check_lengths;

/// McNemar's test of two classifiers on the same examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct McNemar {
    /// Examples that both had right.
    pub both: u64,
    /// Examples that only the first one had right.
    pub first_only: u64,
    /// Examples that only the second one had right.
    pub second_only: u64,
    /// Examples that both had wrong.
    pub neither: u64,
    /// Two-sided, exact: binomial with 1/2 among those that only one had right; 1 without any.
    pub exact_p_value: f64,
    /// (max(|b − c| − 1, 0))²/(b + c) of the two counts that differ; 0 without any.
    pub corrected_statistic: f64,
    /// Its two-sided p-value, of χ² with one degree of freedom; good where b + c is above some 25.
    pub corrected_p_value: f64,
}

/// McNemar's test: whether two classifiers have as many right, from whether each had each example
/// right. Only the examples that one of them alone had right count; examples are taken for
/// independent.
///
/// The exact p-value is twice the smaller tail, at most 1, as statsmodels' `mcnemar(exact=True)` and
/// SciPy's `binomtest` have it. The other one has Edwards' correction for continuity; where both
/// counts are equal statsmodels' statistic is 1/(b + c), and this one, like R's, 0.
///
/// # Errors
/// [`MetricError::Lengths`], and [`MetricError::TooFew`] without an example.
///
/// Source: McNemar (1947); Edwards (1948).
pub fn mcnemar(first_right: &[bool], second_right: &[bool]) -> Result<McNemar, MetricError> {
    check_lengths(first_right.len(), second_right.len(), 1)?;
    let count = |wanted: (bool, bool)| {
        let pairs = first_right.iter().copied().zip(second_right.iter().copied());
        pairs.filter(|pair| *pair == wanted).count()
    };
    let (first_only, second_only) = (count((true, false)), count((false, true)));
    let differing = first_only + second_only;
    let exact = if differing == 0 {
        1.0
    } else {
        (2.0 * at_most(first_only.min(second_only), differing)).min(1.0)
    };
    let distance = first_only.abs_diff(second_only).saturating_sub(1) as f64;
    let corrected_statistic =
        if differing == 0 { 0.0 } else { distance * distance / differing as f64 };
    Ok(McNemar {
        both: count((true, true)) as u64,
        first_only: first_only as u64,
        second_only: second_only as u64,
        neither: count((false, false)) as u64,
        exact_p_value: exact,
        corrected_statistic,
        corrected_p_value: chi_squared_beyond_1(corrected_statistic),
    })
}
