use crate::MetricError;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit, drawdowns};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Longest drawdown",
        unit: Unit::Periods,
        formula: "most periods from a peak to its recovery",
        note: "In periods, not calendar days; one that is still open lasts to the end.",
    },
    compute: |sample| longest_drawdown(sample.returns).map(|periods| periods as f64),
};

/// The most periods that a drawdown took from its peak to its recovery, or to the end of the
/// series; 0 for a series that never falls.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; no values, or values that are not finite.
pub fn longest_drawdown(returns: &[f64]) -> Result<usize, MetricError> {
    let periods = drawdowns(returns, None)?.iter().map(|drawdown| drawdown.periods).max();
    Ok(periods.unwrap_or(0))
}
