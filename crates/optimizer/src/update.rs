use crate::AdamWConfig;

/// The constants of one AdamW step; computed in f64, applied in f32.
pub(crate) struct Update {
    decay: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    root_correction2: f32,
    eps: f32,
    step_size: f32,
}

impl Update {
    /// The step number `step`, counted from 1.
    pub(crate) fn new(
        config: &AdamWConfig,
        learning_rate: f64,
        step: u64,
        weight_decay: bool,
    ) -> Self {
        let decay = if weight_decay { 1.0 - learning_rate * config.weight_decay } else { 1.0 };
        let correction1 = 1.0 - libm::pow(config.beta1, step as f64);
        let correction2 = 1.0 - libm::pow(config.beta2, step as f64);
        Self {
            decay: decay as f32,
            one_minus_beta1: (1.0 - config.beta1) as f32,
            beta2: config.beta2 as f32,
            one_minus_beta2: (1.0 - config.beta2) as f32,
            root_correction2: correction2.sqrt() as f32,
            eps: config.eps as f32,
            step_size: (learning_rate / correction1) as f32,
        }
    }

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
