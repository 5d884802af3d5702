use eval_metrics::calls::{
    ActionReturns, ActionSpread, HoldRule, action_spread, hit_rate, returns_by_action,
};
use serde::Serialize;
use thesis_core::Action;

use crate::dates::{Dates, NO_PART, Part};
use crate::information::judge_information;
use crate::{Estimate, EvaluatedRow, InformationJudgement, StudyError};

/// The forward returns of a window, whoever called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WindowReturns {
    /// Sessions from the call to the end of the return.
    pub sessions: u32,
    /// Rows whose return is known.
    pub known: u64,
    /// Rows whose return is NaN: the data end before.
    pub unknown: u64,
    /// The mean return of all rows, as a fraction: what buying everything would have brought.
    pub mean_return: Option<Estimate>,
    /// The share of returns above the flat band.
    pub share_up: Option<Estimate>,
}

/// Calls against the forward returns of one window. Returns are absolute, not in excess of a market.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowJudgement {
    /// Sessions from the call to the end of the return.
    pub sessions: u32,
    /// Rows whose return is known.
    pub known: u64,
    /// Rows whose return is NaN.
    pub unknown: u64,
    /// The share of buys whose return is above 0 and of sells whose return is below. Holds, answers
    /// without an action and unknown returns are left out; a return of exactly 0 is a miss.
    pub hit_rate: Option<Estimate>,
    /// Buys and sells that were right.
    pub hits: u64,
    /// Buys and sells that were judged.
    pub judged: u64,
    /// Of all rows with a known return the share whose call has the return's sign: up, flat (up to
    /// `flat_band` from 0) or down. Holds say flat; no action is wrong.
    pub direction: Option<Estimate>,
    /// The mean of the return times the direction of the call (1 or −1), over buys and sells: what
    /// a call brought, before costs.
    pub call_return: Option<Estimate>,
    /// The returns of each action, in the order of [`Action::ALL`].
    pub actions: Vec<ActionMean>,
    /// How much more the most bullish calls returned than the most bearish ones; `None` where fewer
    /// than two actions have a known return.
    pub spread: Option<ActionSpread>,
    /// The coefficient of the action's conviction (−2 to 2) and the return.
    pub action_information: Option<InformationJudgement>,
    /// The coefficient of the expected conviction Σ p·conviction and the return, with probabilities
    /// after the temperature where there is one; it has no ties as the actions' has.
    pub expected_information: Option<InformationJudgement>,
}

/// Forward returns of the calls with one action, as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ActionMean {
    /// Count, mean, spread and a t-statistic that takes calls for independent.
    #[serde(flatten)]
    pub returns: ActionReturns,
    /// The mean with its interval; `None` without a call whose return is known.
    pub estimate: Option<Estimate>,
}

/// What somebody called, row by row.
pub(crate) struct Calls<'a> {
    pub(crate) actions: &'a [Option<Action>],
    /// Expected conviction.
    pub(crate) expected: &'a [Option<f64>],
}

pub(crate) fn window_returns(
    returns: &[f64],
    sessions: u32,
    flat_band: f64,
    dates: &Dates,
) -> WindowReturns {
    let known: Vec<Option<f64>> = returns.iter().map(|r| (!r.is_nan()).then_some(*r)).collect();
    let up: Vec<Option<f64>> =
        known.iter().map(|r| r.map(|r| f64::from(sign(r, flat_band) > 0))).collect();
    let count = known.iter().flatten().count();
    WindowReturns {
        sessions,
        known: count as u64,
        unknown: (returns.len() - count) as u64,
        mean_return: dates.mean(&known, Some(sessions)),
        share_up: dates.mean(&up, Some(sessions)),
    }
}

pub(crate) fn judge_window(
    rows: &[&EvaluatedRow],
    calls: &Calls<'_>,
    returns: &[f64],
    sessions: u32,
    flat_band: f64,
    dates: &Dates,
) -> Result<WindowJudgement, StudyError> {
    let failed = |what| move |source| StudyError::Metric { what, source };
    let window = Some(sessions);
    let known = returns.iter().filter(|r| !r.is_nan()).count();
    let (actions, of_actions): (Vec<Action>, Vec<f64>) =
        calls.actions.iter().zip(returns).filter_map(|(a, r)| Some(((*a)?, *r))).unzip();
    let has_call = !actions.is_empty();
    let hits = has_call
        .then(|| hit_rate(&actions, &of_actions, HoldRule::LeaveOut))
        .transpose()
        .map_err(failed("the hit rate"))?;
    let by_action = has_call
        .then(|| returns_by_action(&actions, &of_actions))
        .transpose()
        .map_err(failed("the returns of actions"))?;
    let part = |part: fn(Option<Action>, f64, f64) -> Part| -> Vec<Part> {
        let pairs = calls.actions.iter().zip(returns);
        pairs.map(|(a, r)| if r.is_nan() { NO_PART } else { part(*a, *r, flat_band) }).collect()
    };
    let information =
        |scores: &[Option<f64>]| judge_information(rows, scores, returns, sessions, dates);
    let convictions: Vec<Option<f64>> =
        calls.actions.iter().map(|a| a.map(|a| f64::from(a.conviction()))).collect();
    let action_mean = |returns_of_action: ActionReturns| {
        let parts: Vec<Part> = calls
            .actions
            .iter()
            .zip(returns)
            .map(|(action, r)| match action {
                Some(action) if *action == returns_of_action.action && !r.is_nan() => (*r, 1.0),
                _ => NO_PART,
            })
            .collect();
        ActionMean { returns: returns_of_action, estimate: dates.share(&parts, window) }
    };
    Ok(WindowJudgement {
        sessions,
        known: known as u64,
        unknown: (returns.len() - known) as u64,
        hit_rate: dates.share(&part(hit_part), window),
        hits: hits.map_or(0, |hits| hits.hits),
        judged: hits.map_or(0, |hits| hits.judged),
        direction: dates.share(&part(direction_part), window),
        call_return: dates.share(&part(call_part), window),
        actions: by_action
            .map_or_else(Vec::new, |table| table.actions.into_iter().map(action_mean).collect()),
        spread: if has_call { action_spread(&actions, &of_actions).ok() } else { None },
        action_information: information(&convictions)?,
        expected_information: information(calls.expected)?,
    })
}

/// (hit, judged) of [`hit_rate`].
pub(crate) fn hit_part(action: Option<Action>, forward: f64, _flat_band: f64) -> Part {
    match action.map_or(0, Action::polarity) {
        0 => NO_PART,
        polarity => (f64::from(f64::from(polarity) * forward > 0.0), 1.0),
    }
}

fn direction_part(action: Option<Action>, forward: f64, flat_band: f64) -> Part {
    (f64::from(action.map(Action::polarity) == Some(sign(forward, flat_band))), 1.0)
}

pub(crate) fn call_part(action: Option<Action>, forward: f64, _flat_band: f64) -> Part {
    match action.map_or(0, Action::polarity) {
        0 => NO_PART,
        polarity => (f64::from(polarity) * forward, 1.0),
    }
}

fn sign(forward: f64, flat_band: f64) -> i8 {
    if forward.abs() <= flat_band {
        0
    } else if forward > 0.0 {
        1
    } else {
        -1
    }
}
