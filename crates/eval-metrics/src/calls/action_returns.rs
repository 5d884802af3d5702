use serde::{Deserialize, Serialize};
use thesis_core::Action;

use super::known_returns::known_returns;
use crate::MetricError;
use crate::sample::Sample;

/// Forward returns of each action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnsByAction {
    /// One entry an action, in the order of [`Action::ALL`], those without a call too.
    pub actions: Vec<ActionReturns>,
    /// Calls left out because their return is NaN.
    pub unknown_returns: u64,
}

/// Forward returns of one action, as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ActionReturns {
    /// Which one.
    pub action: Action,
    /// Its calls with a known return.
    pub count: u64,
    /// Its calls left out because their return is NaN.
    pub unknown_returns: u64,
    /// The mean return; `None` without a call.
    pub mean: Option<f64>,
    /// The standard deviation (ddof 1); `None` for fewer than two calls.
    pub std: Option<f64>,
    /// mean / (std / √count), against a mean of 0; `None` without a spread. It takes calls for
    /// independent: calls on the same days, or with overlapping returns, make it too large.
    pub t_statistic: Option<f64>,
}

/// Mean, spread and t-statistic of the forward returns of each action.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a call, and [`MetricError::NotFinite`]
/// for an infinite return. A NaN return is not an error: the call is left out and counted.
pub fn returns_by_action(
    calls: &[Action],
    forward_returns: &[f64],
) -> Result<ReturnsByAction, MetricError> {
    let known = known_returns(calls, forward_returns)?;
    let of_action = |action: Action| {
        let of_it = known.calls.iter().filter(|(call, _)| *call == action);
        let returns: Vec<f64> = of_it.map(|(_, forward)| *forward).collect();
        let Sample { mean, std, t_statistic } = Sample::of(&returns);
        ActionReturns {
            action,
            count: returns.len() as u64,
            unknown_returns: known.unknown.iter().filter(|call| **call == action).count() as u64,
            mean,
            std,
            t_statistic,
        }
    };
    Ok(ReturnsByAction {
        actions: Action::ALL.into_iter().map(of_action).collect(),
        unknown_returns: known.unknown.len() as u64,
    })
}
