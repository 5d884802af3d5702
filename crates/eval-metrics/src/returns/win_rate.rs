use crate::MetricError;
use crate::returns::checks::check_values;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Win rate",
        unit: Unit::Percent,
        formula: "gains / (gains + losses)",
        note: "Of periods, not of trades; a return of 0 counts as neither (quantstats).",
    },
    compute: |sample| win_rate(sample.returns),
};

/// Win rate of periods: those with a gain over those with a gain or a loss; between 0 and 1.
///
/// A return of exactly 0 counts as neither, as in quantstats.
///
/// # Errors
/// [`MetricError::Undefined`] where every return is 0; no values, or values that are not finite.
pub fn win_rate(returns: &[f64]) -> Result<f64, MetricError> {
    check_values(returns, 1)?;
    let gains = returns.iter().filter(|value| **value > 0.0).count();
    let losses = returns.iter().filter(|value| **value < 0.0).count();
    match gains + losses {
        0 => Err(MetricError::Undefined { reason: "every return is 0" }),
        both => Ok(gains as f64 / both as f64),
    }
}
