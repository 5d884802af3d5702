use serde::{Deserialize, Serialize};
use thesis_core::Action;

use super::{ActionReturns, returns_by_action};
use crate::MetricError;

/// How much more the best calls returned than the worst.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ActionSpread {
    /// The most bullish action that has a known return.
    pub top: ActionReturns,
    /// The most bearish action that has a known return.
    pub bottom: ActionReturns,
    /// Mean return of the top minus that of the bottom, as a fraction.
    pub spread: f64,
    /// Welch's t-statistic of the spread, against 0; `None` where either side has fewer than two
    /// calls, or neither has a spread. It takes calls for independent.
    pub t_statistic: Option<f64>,
    /// Calls of whatever kind left out because their return is NaN.
    pub unknown_returns: u64,
}

/// The spread between the two ends of the calls that were made: strong buys minus strong sells
/// where there are both, else the outermost actions with a known return.
///
/// # Errors
/// [`MetricError::Undefined`] where fewer than two actions have a known return, and those of
/// [`returns_by_action`].
///
/// Source: the t-statistic Welch (1947), without pooling the variances.
pub fn action_spread(
    calls: &[Action],
    forward_returns: &[f64],
) -> Result<ActionSpread, MetricError> {
    let table = returns_by_action(calls, forward_returns)?;
    let mut present = table.actions.iter().filter_map(|row| Some((*row, row.mean?)));
    let (Some((top, top_mean)), Some((bottom, bottom_mean))) =
        (present.next(), present.next_back())
    else {
        return Err(MetricError::Undefined {
            reason: "fewer than two actions have a known return",
        });
    };
    let spread = top_mean - bottom_mean;
    let error = top.std.zip(bottom.std).map(|(high, low)| {
        (high * high / top.count as f64 + low * low / bottom.count as f64).sqrt()
    });
    Ok(ActionSpread {
        top,
        bottom,
        spread,
        t_statistic: error.filter(|error| *error > 0.0).map(|error| spread / error),
        unknown_returns: table.unknown_returns,
    })
}
