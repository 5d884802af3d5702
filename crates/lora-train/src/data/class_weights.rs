use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thesis_core::Action;

use super::DataError;

/// What the loss of an example is multiplied by, for its action.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// Nothing.
    #[default]
    None,
    /// Examples ÷ (classes that are there × examples of the class), as scikit-learn's `balanced` has it.
    InverseFrequency,
    /// These; a class that is not named has 1.
    #[serde(untagged)]
    Map(BTreeMap<Action, f64>),
}

impl ClassWeights {
    /// The weight of each class, in the order of [`Action::ALL`]; `None` where nothing is weighed.
    ///
    /// # Errors
    /// [`DataError::ClassWeight`] for a weight that is not finite and above 0.
    pub fn of_counts(&self, counts: [u64; 5]) -> Result<Option<[f64; 5]>, DataError> {
        match self {
            Self::None => Ok(None),
            Self::InverseFrequency => {
                let examples: u64 = counts.iter().sum();
                let classes = counts.iter().filter(|&&count| count > 0).count();
                let weight = |count: u64| match count {
                    0 => 1.0,
                    _ => examples as f64 / (classes as f64 * count as f64),
                };
                Ok(Some(counts.map(weight)))
            }
            Self::Map(map) => {
                let mut weights = [1.0; 5];
                for (&action, &weight) in map {
                    if !(weight.is_finite() && weight > 0.0) {
                        return Err(DataError::ClassWeight { action, weight });
                    }
                    weights[action.index()] = weight;
                }
                Ok(Some(weights))
            }
        }
    }
}
