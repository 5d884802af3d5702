use crate::{AdamWConfig, OptimizerError};

/// The constants of one step of AdamW; computed in f64, applied in f32.
///
/// With them a step is `m += one_minus_beta1 · (g - m)`, `v = beta2 · v + one_minus_beta2 · g²`,
/// `p = decay · p - step_size · m / (√v / root_correction2 + eps)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// `1 - learning rate · weight decay`; 1 where nothing decays.
    pub decay: f32,
    /// `1 - beta1`.
    pub one_minus_beta1: f32,
    /// `beta2`.
    pub beta2: f32,
    /// `1 - beta2`.
    pub one_minus_beta2: f32,
    /// `√(1 - beta2ᵗ)`.
    pub root_correction2: f32,
    /// `eps`.
    pub eps: f32,
    /// `learning rate / (1 - beta1ᵗ)`.
    pub step_size: f32,
}

impl AdamWConfig {
    /// The constants of the step number `step`, counted from 1.
    ///
    /// # Errors
    ///
    /// [`OptimizerError::Setting`] where the learning rate is negative or endless.
    pub fn step(
        &self,
        learning_rate: f64,
        step: u64,
        weight_decay: bool,
    ) -> Result<AdamWStep, OptimizerError> {
        if !(learning_rate.is_finite() && learning_rate >= 0.0) {
            return Err(OptimizerError::Setting {
                name: "learning_rate",
                value: learning_rate,
                expected: "a finite number, at least 0",
            });
        }
        let decay = if weight_decay { 1.0 - learning_rate * self.weight_decay } else { 1.0 };
        let correction1 = 1.0 - libm::pow(self.beta1, step as f64);
        let correction2 = 1.0 - libm::pow(self.beta2, step as f64);
        Ok(AdamWStep {
            decay: decay as f32,
            one_minus_beta1: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            one_minus_beta2: (1.0 - self.beta2) as f32,
            root_correction2: correction2.sqrt() as f32,
            eps: self.eps as f32,
            step_size: (learning_rate / correction1) as f32,
        })
    }
}

impl AdamWStep {
    /// Moves parameters and both moments; all slices have one length.
    ///
    /// The operations and their order are those of `torch.optim.AdamW` (`lerp_`, `addcmul_`,
    /// `addcdiv_`), but for fused multiply-adds, which PyTorch uses where the processor has them.
    pub(crate) fn apply(
        &self,
        parameters: &mut [f32],
        gradient: &[f32],
        m: &mut [f32],
        v: &mut [f32],
    ) {
        for (((p, &g), m), v) in parameters.iter_mut().zip(gradient).zip(m).zip(v) {
            *m += self.one_minus_beta1 * (g - *m);
            *v = *v * self.beta2 + self.one_minus_beta2 * g * g;
            let denominator = v.sqrt() / self.root_correction2 + self.eps;
            *p = *p * self.decay - self.step_size * *m / denominator;
        }
    }
}
