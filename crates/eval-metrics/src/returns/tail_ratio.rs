use crate::MetricError;
use crate::returns::checks::{check_quotient, check_values};
use crate::returns::quantile::quantile;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Tail ratio",
        unit: Unit::Ratio,
        formula: "|95 % quantile| / |5 % quantile|",
        note: "Quantiles are linear between neighbours.",
    },
    compute: |sample| tail_ratio(sample.returns),
};

/// Tail ratio: the magnitude of the 95 % quantile over that of the 5 % quantile; at least 0.
///
/// Above 1, large gains are larger than large losses. empyrical and quantstats compute the same.
///
/// # Errors
/// [`MetricError::Undefined`] where the 5 % quantile is 0; no values, or values that are not
/// finite.
pub fn tail_ratio(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 1)?;
    let mut returns = returns.to_vec();
    let low = quantile(&mut returns, 0.05).linear.abs();
    let high = quantile(&mut returns, 0.95).linear.abs();
    if low == 0.0 {
        return Err(MetricError::Undefined { reason: "the 5 % quantile is 0" });
    }
    check_quotient(high / low)
}
