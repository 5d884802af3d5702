use serde::{Deserialize, Serialize};
use thesis_core::Action;

use super::{HitRate, HoldRule, hit_rate};
use crate::MetricError;

/// The hit rate at one horizon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HorizonHits {
    /// Trading days from the call to the end of the return.
    pub horizon_days: u32,
    /// The hit rate of all calls at this horizon.
    #[serde(flatten)]
    pub hit_rate: HitRate,
}

/// The [`hit_rate`] of the same calls at several horizons, in the order given. Longer horizons end
/// later, so that their rows judge fewer calls and are not quite of the same sample.
///
/// # Shapes
/// Each horizon has one forward return a call, NaN where the data ends before.
///
/// # Errors
/// Those of [`hit_rate`], for any horizon.
pub fn horizon_table(
    calls: &[Action],
    horizons: &[(u32, &[f64])],
    hold: HoldRule,
) -> Result<Vec<HorizonHits>, MetricError> {
    let row = |(horizon_days, forward_returns): &(u32, &[f64])| {
        let hit_rate = hit_rate(calls, forward_returns, hold)?;
        Ok(HorizonHits { horizon_days: *horizon_days, hit_rate })
    };
    horizons.iter().map(row).collect()
}
