use crate::MetricError;
use crate::returns::checks::check_quotient;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit, cagr, max_drawdown};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Calmar ratio",
        unit: Unit::Ratio,
        formula: "CAGR / |max drawdown|",
        note: "Over the whole series; the original looks at 36 months.",
    },
    compute: |sample| calmar(sample.returns, sample.options.periods_per_year),
};

/// Calmar ratio over the whole series: [`cagr`] over the depth of [`max_drawdown`].
///
/// Source: Young (1991), who looks at the last 36 months; empyrical and quantstats take the whole
/// series as this does.
///
/// # Errors
/// [`MetricError::Undefined`] without a drawdown; else as [`cagr`].
pub fn calmar(returns: &[f64], periods: PeriodsPerYear) -> Result<f64, MetricError> {
    let depth = -max_drawdown(returns)?;
    // A wealth that rounding alone keeps below its peak has no drawdown.
    if depth <= 1e-12 {
        return Err(MetricError::Undefined { reason: "there is no drawdown" });
    }
    check_quotient(cagr(returns, periods)? / depth)
}
