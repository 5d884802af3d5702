use crate::MetricError;
use crate::returns::moments::mean;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit, downside_risk};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Sortino ratio",
        unit: Unit::Ratio,
        formula: "mean(r − target)·√P / √(mean(min(r − target, 0)²))",
        note: "Downside over all periods; some programs take the standard deviation of the losses.",
    },
    compute: |sample| {
        let options = &sample.options;
        sortino(sample.returns, options.target, options.periods_per_year)
    },
};

/// Sortino ratio: annualized mean of `r − target` over [`downside_risk`].
///
/// `target` is a return per period. Both empyrical and quantstats compute this; the standard
/// deviation of the losses alone, which some take, ignores how often losses happen. Source:
/// Sortino and van der Meer (1991).
///
/// # Errors
/// [`MetricError::Undefined`] where no return is below the target by more than rounding; no
/// values; values or a target that are not finite.
pub fn sortino(returns: &[f64], target: f64, periods: PeriodsPerYear) -> Result<f64, MetricError> {
    let downside = downside_risk(returns, target, periods)?;
    // A return is rounded by one part in 2^53 of 1, so that this much is no loss.
    if downside <= 16.0 * f64::EPSILON * periods.sqrt() {
        return Err(MetricError::Undefined { reason: "no return is below the target" });
    }
    Ok((mean(returns.iter().copied()) - target) * periods.get() / downside)
}
