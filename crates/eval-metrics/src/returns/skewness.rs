use crate::MetricError;
use crate::returns::checks::check_values;
use crate::returns::moments::CentralMoments;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Skewness",
        unit: Unit::Ratio,
        formula: "m3 / m2^1.5",
        note: "Biased, as SciPy by default; pandas and quantstats correct for the sample's size.",
    },
    compute: |sample| skewness(sample.returns),
};

/// Skewness by population moments, `g1 = m3/m2^1.5`: biased in small samples, as SciPy by default.
///
/// # Errors
/// [`MetricError::Undefined`] for returns that do not vary by more than rounding; fewer than two
/// returns, or returns that are not finite.
pub fn skewness(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 2)?;
    let moments = CentralMoments::of(returns, "the returns do not vary")?;
    Ok(moments.third / (moments.second * moments.second.sqrt()))
}

/// Skewness corrected for the sample's size, `G1 = g1·√(n(n − 1))/(n − 2)`, as pandas and
/// quantstats have it.
///
/// # Errors
/// As [`skewness`], and fewer than three returns.
pub fn sample_skewness(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 3)?;
    let count = returns.len() as f64;
    Ok(skewness(returns)? * (count * (count - 1.0)).sqrt() / (count - 2.0))
}
