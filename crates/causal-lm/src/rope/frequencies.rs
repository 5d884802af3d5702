//! Inverse frequencies, computed in f32 in the order of transformers, so that angles agree.

use std::f64::consts::PI;

use super::{RopeConfig, RopeScaling};

/// What the angles of a rotary embedding are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Frequencies {
    /// The angle of each pair of dimensions at position 1, `[pairs]`.
    pub inverse: Vec<f32>,
    /// What cosines and sines are multiplied by.
    pub attention_factor: f32,
}

/// The frequencies for a sequence of `len` tokens.
///
/// Source: `ROPE_INIT_FUNCTIONS` of transformers 5.23, and the works that [`RopeScaling`] names.
pub fn frequencies(config: &RopeConfig, len: usize) -> Frequencies {
    let dims = config.rotary_dims;
    let plain = || inverse(config.theta as f32, dims);
    let mut attention_factor = 1.0;
    let inverse = match &config.scaling {
        RopeScaling::Default => plain(),
        RopeScaling::Linear { factor } => plain().iter().map(|f| f / *factor as f32).collect(),
        RopeScaling::Dynamic { factor, max_positions } => {
            inverse(grown_base(config.theta, *factor, len, *max_positions, dims), dims)
        }
        &RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_positions } => {
            let context = original_positions as f64;
            let (low, high) = (low_freq_factor, high_freq_factor);
            plain().iter().map(|f| llama3(*f, factor as f32, low, high, context)).collect()
        }
        &RopeScaling::Yarn { factor, attention_factor: given, .. } => {
            attention_factor = given as f32;
            let (low, high) = correction_range(config);
            yarn(config.theta as f32, dims, factor as f32, low, high)
        }
        RopeScaling::LongRope { short, long, original_positions, attention_factor: given } => {
            attention_factor = *given as f32;
            let divisors = if len > *original_positions { long } else { short };
            let waves = wavelengths(config.theta as f32, dims);
            waves.zip(divisors).map(|(wave, divisor)| 1.0 / (divisor * wave)).collect()
        }
        RopeScaling::Divided { divisors } => {
            plain().iter().zip(divisors).map(|(f, divisor)| f / divisor).collect()
        }
    };
    Frequencies { inverse, attention_factor }
}

/// YaRN's factor on queries and keys, where the configuration gives none: `0.1 · ln(factor) + 1`, or a ratio of two such.
pub(crate) fn yarn_attention_factor(
    factor: f64,
    mscale: Option<f64>,
    mscale_all: Option<f64>,
) -> f64 {
    let scale = |mscale: f64| if factor <= 1.0 { 1.0 } else { 0.1 * mscale * factor.ln() + 1.0 };
    match (mscale.filter(|m| *m != 0.0), mscale_all.filter(|m| *m != 0.0)) {
        (Some(mscale), Some(all)) => scale(mscale) / scale(all),
        _ => scale(1.0),
    }
}

/// LongRoPE's factor where the configuration gives none: `√(1 + ln(factor) / ln(original context))`.
pub(crate) fn long_rope_attention_factor(factor: f64, original_positions: usize) -> f64 {
    if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / (original_positions as f64).ln()).sqrt() }
}

/// `base^(2i / dims)` for each pair `i`.
fn wavelengths(base: f32, dims: usize) -> impl Iterator<Item = f32> {
    (0..dims).step_by(2).map(move |i| base.powf(i as f32 / dims as f32))
}

fn inverse(base: f32, dims: usize) -> Vec<f32> {
    wavelengths(base, dims).map(|wave| 1.0 / wave).collect()
}

fn grown_base(theta: f64, factor: f64, len: usize, max_positions: usize, dims: usize) -> f32 {
    let len = len.max(max_positions) as f32;
    let growth = factor as f32 * len / max_positions as f32 - (factor - 1.0) as f32;
    let exponent = dims as f64 / (dims as f64 - 2.0);
    theta as f32 * growth.powf(exponent as f32)
}

fn llama3(frequency: f32, factor: f32, low: f64, high: f64, context: f64) -> f32 {
    let wave = (2.0 * PI) as f32 / frequency;
    if wave > (context / low) as f32 {
        frequency / factor
    } else if wave < (context / high) as f32 {
        frequency
    } else {
        let smooth = (context as f32 / wave - low as f32) / (high - low) as f32;
        (1.0 - smooth) * frequency / factor + smooth * frequency
    }
}

/// Between which dimensions YaRN mixes.
fn correction_range(config: &RopeConfig) -> (f64, f64) {
    let RopeScaling::Yarn { original_positions, beta_fast, beta_slow, truncate, .. } =
        config.scaling
    else {
        return (0.0, 0.0);
    };
    let dims = config.rotary_dims as f64;
    let dimension = |rotations: f64| {
        let waves = original_positions as f64 / (rotations * 2.0 * PI);
        dims * waves.ln() / (2.0 * config.theta.ln())
    };
    let (low, high) = (dimension(beta_fast), dimension(beta_slow));
    let (low, high) = if truncate { (low.floor(), high.ceil()) } else { (low, high) };
    (low.max(0.0), high.min(dims - 1.0))
}

fn yarn(base: f32, dims: usize, factor: f32, low: f64, high: f64) -> Vec<f32> {
    // An empty range would divide by zero.
    let high = if low == high { high + 0.001 } else { high };
    let mix = |(i, wave): (usize, f32)| {
        let ramp = ((i as f32 - low as f32) / (high - low) as f32).clamp(0.0, 1.0);
        let kept = 1.0 - ramp;
        1.0 / (factor * wave) * (1.0 - kept) + 1.0 / wave * kept
    };
    wavelengths(base, dims).enumerate().map(mix).collect()
}
