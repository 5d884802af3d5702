use crate::MetricError;
use crate::returns::checks::{check_pair, check_parameter};
use crate::returns::moments::mean;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, PeriodsPerYear, Unit};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Turnover",
        unit: Unit::Percent,
        formula: "mean(traded / equity)·P",
        note: "Buys plus sells, a year; many halve this or take the smaller of the two.",
    },
    compute: |sample| {
        let trading = sample
            .trading
            .ok_or(MetricError::Undefined { reason: "no traded values were given" })?;
        turnover(trading.traded, trading.equity, sample.options.periods_per_year)
    },
};

/// Turnover a year: the mean of the value traded over equity, times `P`; at least 0, and 1 where
/// equity is traded once a year.
///
/// `traded` is what is bought plus what is sold in each period (give half of it for the one-way
/// figure), `equity` the equity of the same period.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a negative traded value or for equity that is not above 0;
/// different lengths, no values, or values that are not finite.
pub fn turnover(
    traded: &[f64],
    equity: &[f64],
    periods: PeriodsPerYear,
) -> Result<f64, MetricError> {
    check_pair(traded, equity, 1)?;
    for (&traded, &equity) in traded.iter().zip(equity) {
        check_parameter("a traded value", traded, "0 and above", traded >= 0.0)?;
        check_parameter("equity", equity, "above 0", equity > 0.0)?;
    }
    let shares = traded.iter().zip(equity).map(|(traded, equity)| traded / equity);
    Ok(mean(shares) * periods.get())
}
