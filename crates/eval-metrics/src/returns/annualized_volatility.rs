use crate::MetricError;
use crate::returns::checks::check_values;
use crate::returns::moments::Spread;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Volatility",
        unit: Unit::Percent,
        formula: "std(r)·√P",
        note: "Sample standard deviation (ddof 1), annualized.",
    },
    compute: |sample| annualized_volatility(sample.returns, sample.options.periods_per_year),
};

/// Annualized volatility: sample standard deviation (ddof 1) times `√P`; at least 0.
///
/// A constant series has a volatility of 0, up to rounding.
///
/// # Errors
/// Fewer than two returns, or returns that are not finite.
pub fn annualized_volatility(returns: &[f64], periods: PeriodsPerYear) -> Result<f64, MetricError> {
    check_values(returns, 2)?;
    Ok(Spread::of(returns.iter().copied())?.std * periods.sqrt())
}
