use thesis_core::Action;

use crate::MetricError;
use crate::paired::check_lengths;

/// Calls whose forward return is known, and how many are not.
pub(super) struct KnownReturns {
    pub(super) calls: Vec<(Action, f64)>,
    pub(super) unknown: Vec<Action>,
}

/// Takes the calls apart by whether their return is NaN; refuses infinite returns.
pub(super) fn known_returns(
    calls: &[Action],
    forward_returns: &[f64],
) -> Result<KnownReturns, MetricError> {
    check_lengths(calls.len(), forward_returns.len(), 1)?;
    let mut known = KnownReturns { calls: Vec::new(), unknown: Vec::new() };
    for (index, (&call, &forward)) in calls.iter().zip(forward_returns).enumerate() {
        if forward.is_infinite() {
            return Err(MetricError::NotFinite { index });
        } else if forward.is_nan() {
            known.unknown.push(call);
        } else {
            known.calls.push((call, forward));
        }
    }
    Ok(known)
}
