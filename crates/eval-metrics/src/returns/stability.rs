use crate::MetricError;
use crate::returns::moments::Spread;
use crate::returns::statistic::Statistic;
use crate::returns::wealth::check_compoundable;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Stability",
        unit: Unit::Ratio,
        formula: "R² of log wealth on time",
        note: "1 for steady growth, and for steady decline as well.",
    },
    compute: |sample| stability(sample.returns),
};

/// Stability of the time series: R² of a straight line through the logarithm of the wealth after
/// each return; between 0 and 1.
///
/// It says how straight the way was, not whether it went up. empyrical computes the same.
///
/// # Errors
/// [`MetricError::Undefined`] where everything is lost (its logarithm has no value) or where the
/// wealth never changes; [`MetricError::OutOfRange`] for a return below −1; fewer than two
/// returns, or returns that are not finite.
pub fn stability(returns: &[f64]) -> Result<f64, MetricError> {
    check_compoundable(returns, 2)?;
    if returns.contains(&-1.0) {
        return Err(MetricError::Undefined { reason: "everything is lost" });
    }
    let log_wealth = returns.iter().scan(0.0, |sum: &mut f64, value| {
        *sum += value.ln_1p();
        Some(*sum)
    });
    let spread = Spread::of(log_wealth.clone())?.varying("the wealth does not change")?;
    let count = spread.count;
    let middle = (count - 1.0) / 2.0;
    let with_time: f64 = log_wealth
        .enumerate()
        .map(|(index, log)| (index as f64 - middle) * (log - spread.mean))
        .sum();
    let time_squares = count * (count * count - 1.0) / 12.0;
    let log_squares = spread.std * spread.std * (count - 1.0);
    Ok((with_time * with_time / (time_squares * log_squares)).min(1.0))
}
