use std::time::Instant;

use causal_lm::ModelConfig;
use causal_lm::estimate::{TensorRole, TensorSize, tensor_sizes};
use cpu_kernels::{ComputeDtype, FrozenWeight, Output, products};

use crate::config::{AdapterKind, SftConfig};

/// Floating-point operations of a run's rows, forward and backward.
///
/// Forward, a token takes 2 operations for each weight of the blocks, 2 for each of the head where it is a target, and in
/// every layer `2 · length · query width` for attention, half of the scores being masked. Backward takes as much again for
/// the inputs' gradients, twice and a half for attention, and as much again for weights where they are trained. Blocks
/// that are computed again take their forward pass once more.
///
/// Source: Kaplan et al. (2020), appendix; Dao (2023) for attention backward.
pub(crate) fn operations(
    model: &ModelConfig,
    config: &SftConfig,
    tokens: f64,
    targets: f64,
    length: f64,
) -> f64 {
    let of = |role: TensorRole| {
        let sizes = tensor_sizes(model);
        sizes.iter().filter(|size| size.role == role).map(TensorSize::parameters).sum::<u64>()
            as f64
    };
    let blocks = 2.0 * of(TensorRole::Projection) * tokens;
    let head = 2.0 * (model.vocab_size * model.hidden_size) as f64 * targets;
    let attention = 2.0 * length * (model.query_width() * model.layers.len()) as f64 * tokens;
    let is_whole = config.adapter == AdapterKind::None;
    let backward = if is_whole { 2.0 } else { 1.0 };
    let again = if config.gradient_checkpointing { 1.0 } else { 0.0 };
    (1.0 + backward + again) * blocks + (1.0 + 2.5 + again) * attention + (1.0 + backward) * head
}

/// Operations a second that products of the settings' kind reach here, measured in a fraction of a second.
///
/// A run reaches less: norms, attention, the adapter and the optimizer come on top.
pub(crate) fn measured_rate(compute: ComputeDtype) -> Option<f64> {
    const ROWS: usize = 256;
    const SIDE: usize = 1024;
    let values = |len: usize| (0..len).map(|i| (i % 31) as f32 / 31.0 - 0.5).collect::<Vec<f32>>();
    let weight = FrozenWeight::f32(SIDE, SIDE, values(SIDE * SIDE))?;
    let (x, mut out) = (values(ROWS * SIDE), vec![0.0; ROWS * SIDE]);
    let mut best = f64::INFINITY;
    for _ in 0..8 {
        let began = Instant::now();
        products(&x, ROWS, compute, &mut [Output { weight: &weight, out: &mut out }]);
        best = best.min(began.elapsed().as_secs_f64());
    }
    (best > 0.0).then(|| (2 * ROWS * SIDE * SIDE) as f64 / best)
}
