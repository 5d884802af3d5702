use serde::{Deserialize, Serialize};
use thesis_core::Action;

use crate::EngineError;

/// The share of a full position that an action asks for; sizing says how large a full one is.
///
/// HOLD asks for nothing and is not listed: it is no order. A negative share is a short position
/// where shorts are allowed, and closes the position where they are not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ActionWeights {
    /// Of a strong buy.
    pub strong_buy: f64,
    /// Of a buy.
    pub buy: f64,
    /// Of a sell.
    pub sell: f64,
    /// Of a strong sell.
    pub strong_sell: f64,
}

impl Default for ActionWeights {
    fn default() -> Self {
        Self { strong_buy: 1.0, buy: 0.5, sell: -0.5, strong_sell: -1.0 }
    }
}

impl ActionWeights {
    /// The share that an action asks for, `None` for HOLD. Never negative without `shorts`.
    pub fn of(&self, action: Action, shorts: bool) -> Option<f64> {
        let weight = match action {
            Action::StrongBuy => self.strong_buy,
            Action::Buy => self.buy,
            Action::Hold => return None,
            Action::Sell => self.sell,
            Action::StrongSell => self.strong_sell,
        };
        // `+ 0.0` makes a −0 that `max` may leave a plain 0.
        Some(if shorts { weight } else { weight.max(0.0) + 0.0 })
    }

    pub(crate) fn validate(&self) -> Result<(), EngineError> {
        let Self { strong_buy, buy, sell, strong_sell } = *self;
        let keys = [
            ("action_weights.strong_buy", strong_buy),
            ("action_weights.buy", buy),
            ("action_weights.sell", sell),
            ("action_weights.strong_sell", strong_sell),
        ];
        match keys.into_iter().find(|(_, value)| !value.is_finite()) {
            Some((key, value)) => Err(EngineError::Setting { key, value, expected: "a number" }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sells_close_or_short() {
        let weights = ActionWeights::default();
        let of = |shorts| Action::ALL.map(|action| weights.of(action, shorts));
        assert_eq!(of(true), [Some(1.0), Some(0.5), None, Some(-0.5), Some(-1.0)]);
        assert_eq!(of(false), [Some(1.0), Some(0.5), None, Some(0.0), Some(0.0)]);
    }
}
