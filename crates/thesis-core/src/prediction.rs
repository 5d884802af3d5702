use serde::{Deserialize, Serialize};

use crate::{Action, AsOfDate, CoreError, Ticker};

/// A model's call on one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The record's `uid`.
    pub uid: String,
    /// The stock.
    pub ticker: Ticker,
    /// The day up to whose close the call uses data.
    pub as_of_date: AsOfDate,
    /// The call; `None` where the output names none.
    pub action: Option<Action>,
    /// The model's own probabilities of the five actions, where they were computed.
    pub probabilities: Option<ActionProbabilities>,
}

/// A distribution over the five actions, in the order of [`Action::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 5]", into = "[f64; 5]")]
pub struct ActionProbabilities([f64; 5]);

impl ActionProbabilities {
    /// How far from 1 the sum may be, for probabilities that went through 32-bit floats.
    pub const TOLERANCE: f64 = 1e-5;

    /// Takes five probabilities in the order of [`Action::ALL`].
    ///
    /// # Errors
    /// [`CoreError::Probabilities`] where one is negative or not finite, or where they do not sum
    /// to 1 within [`Self::TOLERANCE`].
    pub fn new(values: [f64; 5]) -> Result<Self, CoreError> {
        let refuse = |reason| Err(CoreError::Probabilities { values, reason });
        if values.iter().any(|p| !p.is_finite() || *p < 0.0) {
            return refuse("one is negative or not finite");
        }
        if (values.iter().sum::<f64>() - 1.0).abs() > Self::TOLERANCE {
            return refuse("they do not sum to 1");
        }
        Ok(Self(values))
    }

    /// The probability of one action.
    pub const fn of(&self, action: Action) -> f64 {
        self.0[action.index()]
    }

    /// All five, in the order of [`Action::ALL`].
    pub const fn values(&self) -> [f64; 5] {
        self.0
    }
}

impl TryFrom<[f64; 5]> for ActionProbabilities {
    type Error = CoreError;

    fn try_from(values: [f64; 5]) -> Result<Self, CoreError> {
        Self::new(values)
    }
}

impl From<ActionProbabilities> for [f64; 5] {
    fn from(probabilities: ActionProbabilities) -> Self {
        probabilities.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_distributions_pass() {
        let p = ActionProbabilities::new([0.1, 0.2, 0.3, 0.4, 0.0]).unwrap();
        assert_eq!(p.of(Action::Sell), 0.4);
        for values in
            [[0.2; 5].map(|p| p + 0.01), [f64::NAN, 0.0, 0.0, 0.0, 1.0], [1.5, -0.5, 0.0, 0.0, 0.0]]
        {
            assert!(ActionProbabilities::new(values).is_err());
        }
    }
}
