use crate::MetricError;
use crate::returns::drawdown_series::drawdowns_from_peak;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Ulcer index",
        unit: Unit::Percent,
        formula: "√(mean(drawdown²))",
        note: "Divides by n, as its authors do; quantstats divides by n − 1.",
    },
    compute: |sample| ulcer_index(sample.returns),
};

/// Ulcer index: the root of the mean squared drawdown, `√(Σ drawdown²/n)`, as a fraction from 0
/// to 1.
///
/// Source: Martin and McCann (1989), who write it in percent. See [`sample_ulcer_index`] for
/// quantstats' figure.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; no values, or values that are not finite.
pub fn ulcer_index(returns: &[f64]) -> Result<f64, MetricError> {
    Ok((squares(returns)? / returns.len() as f64).sqrt())
}

/// [`ulcer_index`] with `n − 1` in place of `n`, as quantstats has it.
///
/// # Errors
/// As [`ulcer_index`], and fewer than two returns.
pub fn sample_ulcer_index(returns: &[f64]) -> Result<f64, MetricError> {
    let squares = squares(returns)?;
    match returns.len() {
        got @ ..2 => Err(MetricError::TooFew { needed: 2, got }),
        count => Ok((squares / (count - 1) as f64).sqrt()),
    }
}

fn squares(returns: &[f64]) -> Result<f64, MetricError> {
    Ok(drawdowns_from_peak(returns)?.map(|drawdown| drawdown * drawdown).sum())
}
