use serde::{Deserialize, Serialize};
use thesis_core::Action;

use super::known_returns::known_returns;
use crate::MetricError;

/// When a hold was right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldRule {
    /// Holds say no direction: they are counted and not judged.
    LeaveOut,
    /// A hold is right where |return| is at most this, as a fraction (0.02 is 2 %). Buys and sells
    /// are judged as ever.
    Band(f64),
}

/// How often calls had the right direction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HitRate {
    /// hits / judged, 0 to 1; `None` where no call was judged.
    pub rate: Option<f64>,
    /// Calls that were right.
    pub hits: u64,
    /// Calls that were judged.
    pub judged: u64,
    /// Holds that were not judged.
    pub holds_left_out: u64,
    /// Calls of whatever kind that were not judged because their return is NaN.
    pub unknown_returns: u64,
}

/// The share of calls with the right direction: a buy or strong buy is right where the forward
/// return is above 0, a sell or strong sell where it is below. A return of exactly 0 makes both
/// wrong. Holds as `hold` says.
///
/// Returns are absolute as given: hand in returns in excess of a market to judge against it. One
/// is NaN where the data ends before the horizon; such calls are counted, not judged.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::TooFew`] without a call, [`MetricError::NotFinite`] for
/// an infinite return, and [`MetricError::OutOfRange`] for a band that is negative or not finite.
pub fn hit_rate(
    calls: &[Action],
    forward_returns: &[f64],
    hold: HoldRule,
) -> Result<HitRate, MetricError> {
    if let HoldRule::Band(value) = hold
        && !(0.0..f64::INFINITY).contains(&value)
    {
        return Err(MetricError::OutOfRange { name: "hold band", value, range: "0 and more" });
    }
    let known = known_returns(calls, forward_returns)?;
    let (mut hits, mut judged, mut holds_left_out) = (0, 0, 0);
    for (call, forward) in known.calls {
        let hit = match (call.polarity(), hold) {
            (0, HoldRule::LeaveOut) => {
                holds_left_out += 1;
                continue;
            }
            (0, HoldRule::Band(band)) => forward.abs() <= band,
            (polarity, _) => f64::from(polarity) * forward > 0.0,
        };
        judged += 1;
        hits += u64::from(hit);
    }
    Ok(HitRate {
        rate: (judged > 0).then(|| hits as f64 / judged as f64),
        hits,
        judged,
        holds_left_out,
        unknown_returns: known.unknown.len() as u64,
    })
}
