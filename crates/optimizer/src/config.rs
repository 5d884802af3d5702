use serde::{Deserialize, Serialize};

use crate::OptimizerError;

/// The constants of AdamW; the defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the root of the mean of squared gradients.
    pub eps: f64,
    /// Share of a parameter, times the learning rate, that a step takes away.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 }
    }
}

impl AdamWConfig {
    /// Says what is wrong with the settings.
    ///
    /// # Errors
    ///
    /// [`OptimizerError::Setting`]: betas outside of `0 <= beta < 1`, `eps` or a weight decay that
    /// is negative or endless.
    pub fn check(&self) -> Result<(), OptimizerError> {
        let Self { beta1, beta2, eps, weight_decay } = *self;
        for (name, value) in [("beta1", beta1), ("beta2", beta2)] {
            if !(0.0..1.0).contains(&value) {
                return Err(OptimizerError::Setting {
                    name,
                    value,
                    expected: "at least 0 and less than 1",
                });
            }
        }
        for (name, value) in [("eps", eps), ("weight_decay", weight_decay)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(OptimizerError::Setting {
                    name,
                    value,
                    expected: "a finite number, at least 0",
                });
            }
        }
        Ok(())
    }
}

/// Parameters that lie together in the flat slice: a tensor, or several that are treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// How many values.
    pub len: usize,
    /// Whether weight decay applies to them.
    pub weight_decay: bool,
}
