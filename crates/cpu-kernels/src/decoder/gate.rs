/// The activation of a gated feed-forward block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · sigmoid(x)`.
    Silu,
    /// GELU by its tanh approximation.
    GeluTanh,
}

/// `out = activation(gate) · up`, element by element.
pub fn gate(activation: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, &gate), &up) in out.iter_mut().zip(gate).zip(up) {
        let activated = match activation {
            Activation::Silu => gate / (1.0 + (-gate).exp()),
            Activation::GeluTanh => {
                let inner =
                    (2.0 / std::f32::consts::PI).sqrt() * (gate + 0.044715 * gate * gate * gate);
                0.5 * gate * (1.0 + inner.tanh())
            }
        };
        *out = activated * up;
    }
}
