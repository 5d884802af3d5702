use crate::MetricError;
use crate::returns::checks::check_values;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Worst day",
        unit: Unit::Percent,
        formula: "min(r)",
        note: "Of one period.",
    },
    compute: |sample| worst_day(sample.returns),
};

/// The lowest return of a period.
///
/// # Errors
/// No values, or values that are not finite.
pub fn worst_day(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 1)?;
    Ok(returns.iter().copied().fold(f64::INFINITY, f64::min))
}
