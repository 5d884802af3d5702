use crate::MetricError;
use crate::returns::checks::check_values;
use crate::returns::moments::CentralMoments;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Excess kurtosis",
        unit: Unit::Ratio,
        formula: "m4 / m2² − 3",
        note: "0 for a normal distribution. Biased, as SciPy by default; pandas and quantstats correct it.",
    },
    compute: |sample| excess_kurtosis(sample.returns),
};

/// Excess kurtosis by population moments, `g2 = m4/m2² − 3`: 0 for a normal distribution, at least
/// −2, biased in small samples, as SciPy by default.
///
/// # Errors
/// [`MetricError::Undefined`] for returns that do not vary by more than rounding; fewer than two
/// returns, or returns that are not finite.
pub fn excess_kurtosis(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 2)?;
    let moments = CentralMoments::of(returns, "the returns do not vary")?;
    Ok(moments.fourth / (moments.second * moments.second) - 3.0)
}

/// Excess kurtosis corrected for the sample's size,
/// `G2 = ((n + 1)·g2 + 6)·(n − 1)/((n − 2)(n − 3))`, as pandas and quantstats have it.
///
/// # Errors
/// As [`excess_kurtosis`], and fewer than four returns.
pub fn sample_excess_kurtosis(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 4)?;
    let count = returns.len() as f64;
    let biased = excess_kurtosis(returns)?;
    Ok(((count + 1.0) * biased + 6.0) * (count - 1.0) / ((count - 2.0) * (count - 3.0)))
}
