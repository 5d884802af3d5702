//! What a portfolio must beat: strategies that need no model, and luck.
//!
//! Each gives [`Calls`] whose strengths are weights of equity; [`config`] gives the
//! rules under which they are traded, with the costs and limits of the strategy that they are held
//! against. `first` is the index of the session on which the strategy begins.

mod buy_and_hold;
mod equal_weight;
mod momentum;
mod random_calls;

pub use buy_and_hold::buy_and_hold;
pub use equal_weight::equal_weight;
pub use momentum::momentum;
pub use random_calls::random_calls;

use chrono::Datelike;
use thesis_core::Action;

use crate::{ActionWeights, BacktestConfig, Calls, EngineError, Market, Sizing};

/// The rules for a baseline: same cash, entry price, costs and limits, but a call's strength alone
/// says how large a position is, and nothing ends it but another call.
pub fn config(strategy: &BacktestConfig) -> BacktestConfig {
    BacktestConfig {
        sizing: Sizing::FixedPct { pct: 1.0 },
        action_weights: ActionWeights::default(),
        holding_sessions: None,
        drawdown_stop: None,
        ..*strategy
    }
}

/// Calls from weights of equity, NaN for no call.
fn of_weights(market: &Market, weights: &[f64]) -> Result<Calls, EngineError> {
    let action = |weight: &f64| match *weight {
        weight if weight.is_nan() => None,
        0.0 => Some(Action::Sell),
        _ => Some(Action::StrongBuy),
    };
    let strengths = weights.iter().map(|w| if w.is_nan() { 1.0 } else { *w }).collect();
    Calls::new(market, weights.iter().map(action).collect(), Some(strengths))
}

/// The sessions from `first` on that begin a month, and `first` itself.
fn month_begins(market: &Market, first: usize) -> impl Iterator<Item = usize> + '_ {
    let month = |day: usize| (market.dates()[day].year(), market.dates()[day].month());
    (first..market.dates().len()).filter(move |day| *day == first || month(*day) != month(*day - 1))
}
