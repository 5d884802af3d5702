use serde::Serialize;

/// The outcome of a test: how far from the null hypothesis, and how likely that is under it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TestResult {
    /// The test's statistic.
    pub statistic: f64,
    /// Two-sided p-value, between 0 and 1.
    pub p_value: f64,
    /// One-sided p-value against the alternative that the true value is below that of the null.
    pub p_less: f64,
    /// One-sided p-value against the alternative that the true value is above that of the null.
    pub p_greater: f64,
}
