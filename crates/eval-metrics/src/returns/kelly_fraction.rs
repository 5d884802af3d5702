use crate::MetricError;
use crate::returns::checks::check_quotient;
use crate::returns::statistic::Statistic;
use crate::returns::{Convention, Unit, payoff_ratio, win_rate};

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "Kelly fraction",
        unit: Unit::Percent,
        formula: "w − (1 − w)/payoff",
        note: "For bets of two outcomes, with the win rate w and payoff of periods; negative without an edge.",
    },
    compute: |sample| kelly_fraction(sample.returns),
};

/// Kelly fraction of a bet with two outcomes: `w − (1 − w)/payoff`, with [`win_rate`] and
/// [`payoff_ratio`] of periods; at most 1, and negative without an edge.
///
/// Returns have more than two outcomes, so this is a rough figure; quantstats computes the same.
/// Source: Kelly (1956).
///
/// # Errors
/// As [`win_rate`] and [`payoff_ratio`].
pub fn kelly_fraction(returns: &[f64]) -> Result<f64, MetricError> {
    let (wins, payoff) = (win_rate(returns)?, payoff_ratio(returns)?);
    check_quotient(wins - (1.0 - wins) / payoff)
}
