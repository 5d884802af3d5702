use serde::{Deserialize, Serialize};

use crate::EngineError;

/// Leaving the market after losses: decided on a close, done at the next open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawdownStop {
    /// The loss from the peak of equity that sets it off: 0.2 for a fifth.
    pub depth: f64,
    /// Sessions out of the market before calls count again; for good, without a number. The peak
    /// then begins anew.
    #[serde(default)]
    pub reentry_after: Option<u32>,
}

/// Whether calls count, and since when not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StopState {
    peak: f64,
    /// Sessions since calls stopped to count; `None` while they do.
    out: Option<u32>,
}

impl DrawdownStop {
    pub(crate) fn validate(&self) -> Result<(), EngineError> {
        if !(self.depth > 0.0 && self.depth < 1.0) {
            let (key, expected) = ("drawdown_stop.depth", "above 0 and below 1");
            return Err(EngineError::Setting { key, value: self.depth, expected });
        }
        if self.reentry_after == Some(0) {
            let (key, expected) = ("drawdown_stop.reentry_after", "a number of at least 1");
            return Err(EngineError::Setting { key, value: 0.0, expected });
        }
        Ok(())
    }
}

impl StopState {
    pub(crate) const fn new(equity: f64) -> Self {
        Self { peak: equity, out: None }
    }

    /// Whether calls are dropped.
    pub(crate) const fn is_on(&self) -> bool {
        self.out.is_some()
    }

    /// Takes a session's equity at its close; `true` where everything is to be sold at the next
    /// open.
    pub(crate) fn close(&mut self, stop: &DrawdownStop, equity: f64) -> bool {
        if let Some(left) = &mut self.out {
            let Some(after) = stop.reentry_after else { return false };
            *left += 1;
            if *left >= after {
                *self = Self::new(equity);
            }
            return false;
        }
        self.peak = self.peak.max(equity);
        let stopped = equity <= self.peak * (1.0 - stop.depth);
        if stopped {
            self.out = Some(0);
        }
        stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stop: DrawdownStop, equity: &[f64]) -> Vec<(bool, bool)> {
        let mut state = StopState::new(100.0);
        equity.iter().map(|equity| (state.close(&stop, *equity), state.is_on())).collect()
    }

    #[test]
    fn out_for_so_many_sessions_then_with_a_new_peak() {
        let stop = DrawdownStop { depth: 0.2, reentry_after: Some(2) };
        let (sell, out, calm) = ((true, true), (false, true), (false, false));
        let got = run(stop, &[110.0, 88.1, 88.0, 87.0, 87.0, 80.0, 69.6]);
        assert_eq!(got, [calm, calm, sell, out, calm, calm, sell]);
    }

    #[test]
    fn without_reentry_it_stays_out() {
        let stop = DrawdownStop { depth: 0.2, reentry_after: None };
        assert!(run(stop, &[80.0, 200.0, 300.0]).iter().all(|(_, out)| *out));
    }
}
