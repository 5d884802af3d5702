use causal_lm::CausalLm;
use causal_lm::ops::DecoderBackend;
use causal_lm::train::{Parameters, add_adapters, train_tokens, train_whole};
use lora_linear::LoraConfig;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::options::scaling;
use crate::check::NewToken;
use crate::config::{AdapterKind, LoraStart, SftConfig};

/// Gives the model what is trained of it, as the settings let it begin.
pub(super) fn prepare<B: DecoderBackend>(
    model: &mut CausalLm<B>,
    config: &SftConfig,
    new_tokens: &[NewToken],
) -> anyhow::Result<()> {
    if config.adapter == AdapterKind::None {
        train_whole(model);
        return Ok(());
    }
    let lora = &config.lora;
    if !matches!(lora.init, LoraStart::Folder(_)) {
        let made =
            LoraConfig { rank: lora.r, alpha: lora.alpha, scaling: scaling(lora), dora: lora.dora };
        add_adapters(model, &made, lora.target_modules.names(), config.seed)?;
    }
    match lora.init {
        LoraStart::Default | LoraStart::Folder(_) => {}
        LoraStart::Gaussian => {
            let mut random = Pcg64Mcg::seed_from_u64(config.seed);
            let deviation = 1.0 / lora.r as f64;
            fill(model, &mut || (deviation * normal(&mut random)) as f32);
        }
        LoraStart::Zero => fill(model, &mut || 0.0),
    }
    if !new_tokens.is_empty() && model.token_rows().is_none() {
        let ids: Vec<u32> = new_tokens.iter().map(|token| token.id).collect();
        train_tokens(model, &ids)?;
    }
    Ok(())
}

/// Gives every `A` other values, in the order of the model's layers.
fn fill<B: DecoderBackend>(model: &mut CausalLm<B>, value: &mut dyn FnMut() -> f32) {
    let parameters = Parameters::of(model);
    let mut values = parameters.values(model);
    for parameter in parameters.all().iter().filter(|p| p.name.contains(".lora_A.")) {
        values[parameter.range.clone()].fill_with(&mut *value);
    }
    parameters.set_values(model, &values);
}

/// A standard normal number. Source: Box and Muller (1958).
fn normal(random: &mut Pcg64Mcg) -> f64 {
    let (first, second): (f64, f64) = (random.random(), random.random());
    // 1 - first lies above 0, where the logarithm is finite.
    (-2.0 * (1.0 - first).ln()).sqrt() * (std::f64::consts::TAU * second).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_are() {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let values: Vec<f64> = (0..100_000).map(|_| normal(&mut random)).collect();
        let mean = values.iter().sum::<f64>() / 1e5;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / 1e5;
        let beyond = values.iter().filter(|value| value.abs() > 1.96).count();
        assert!(mean.abs() < 0.015 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert!((4_700..5_300).contains(&beyond), "{beyond}");
    }
}
