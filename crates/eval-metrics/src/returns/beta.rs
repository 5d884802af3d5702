use crate::MetricError;
use crate::returns::checks::check_pair;
use crate::returns::moments::Spread;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Beta",
        unit: Unit::Ratio,
        formula: "cov(r, b) / var(b)",
        note: "The slope of the returns on the benchmark's.",
    },
    compute: |sample| beta(sample.returns, sample.benchmark()?),
};

/// Beta: the slope of a least-squares line of the returns on the benchmark's returns.
///
/// A constant risk-free rate changes nothing. Source: Sharpe (1964).
///
/// # Errors
/// [`MetricError::Undefined`] for a benchmark that does not vary by more than rounding; different
/// lengths, fewer than two returns, or returns that are not finite.
pub fn beta(returns: &[f64], benchmark: &[f64]) -> Result<f64, MetricError> {
    check_pair(returns, benchmark, 2)?;
    let spread = Spread::of(benchmark.iter().copied())?.varying("the benchmark does not vary")?;
    let own = Spread::of(returns.iter().copied())?;
    let products: f64 = returns
        .iter()
        .zip(benchmark)
        .map(|(value, market)| (value - own.mean) * (market - spread.mean))
        .sum();
    Ok(products / (spread.std * spread.std * (spread.count - 1.0)))
}
