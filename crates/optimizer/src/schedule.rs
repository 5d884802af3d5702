use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::OptimizerError;

/// How the learning rate falls after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Not at all.
    Constant,
    /// In a straight line.
    #[default]
    Linear,
    /// Along half a cosine: `(1 + cos(π · progress)) / 2`.
    Cosine,
}

/// Learning rate as a function of the step: a rise to `peak`, then a fall to `min_ratio · peak`.
///
/// Source: Loshchilov & Hutter (2017), SGDR, for the cosine, without restarts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// How it falls.
    pub kind: ScheduleKind,
    /// Steps of warm-up; 0 for none.
    pub warmup: u64,
    /// Steps in all, warm-up among them.
    pub total: u64,
    /// The highest learning rate.
    pub peak: f64,
    /// The last learning rate, as a share of `peak`.
    #[serde(default)]
    pub min_ratio: f64,
}

impl Schedule {
    /// Says what is wrong with the settings.
    ///
    /// # Errors
    ///
    /// [`OptimizerError::Setting`]: a negative or endless rate, a ratio outside of 0 to 1, or more
    /// warm-up than there are steps.
    pub fn check(&self) -> Result<(), OptimizerError> {
        let Self { kind: _, warmup, total, peak, min_ratio } = *self;
        let fault = |name, value, expected| Err(OptimizerError::Setting { name, value, expected });
        if !(peak.is_finite() && peak >= 0.0) {
            return fault("peak", peak, "a finite number, at least 0");
        }
        if !(0.0..=1.0).contains(&min_ratio) {
            return fault("min_ratio", min_ratio, "between 0 and 1");
        }
        if warmup > total {
            return fault("warmup", warmup as f64, "at most `total`");
        }
        Ok(())
    }

    /// The learning rate of a step, counted from 0.
    ///
    /// Warm-up is `(step + 1) / warmup`, so that the first step already moves something and step
    /// `warmup - 1` has the peak; transformers has `step / warmup`, whose first step has rate 0.
    /// From there, progress is `(step - warmup) / (total - warmup)`; after the last step it stays 1.
    pub fn learning_rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.peak * ((step + 1) as f64 / self.warmup as f64);
        }
        let falling = self.total.saturating_sub(self.warmup).max(1);
        let (elapsed, falling) = ((step - self.warmup).min(falling) as f64, falling as f64);
        let factor = match self.kind {
            ScheduleKind::Constant => return self.peak,
            ScheduleKind::Linear => 1.0 - elapsed / falling,
            // π first: another order moves the last digits of some steps. libm's cosine, not the
            // system's: the same bits on every platform.
            ScheduleKind::Cosine => 0.5 * (1.0 + libm::cos(PI * elapsed / falling)),
        };
        self.peak * (self.min_ratio + (1.0 - self.min_ratio) * factor)
    }
}
