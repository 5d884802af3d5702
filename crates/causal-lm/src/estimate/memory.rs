use cpu_kernels::decoder::KvDtype;
use serde::Serialize;

use super::tensors::projections;
use super::{
    EstimateError, EstimateOptions, Generation, LoraSize, Place, SCORES, TensorRole, TensorSize,
    Training, tensor_sizes,
};
use crate::{DenseDtype, ModelConfig, Quantization};

/// Bytes of an f32.
const F32: u64 = 4;
/// Values that share a scale in NF4, and scales that share a second one under double quantization.
const NF4_BLOCK: u64 = 64;
const NESTED_BLOCK: u64 = 256;

/// How much memory a model takes, and for what.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Values of all weights; a tied head is not counted again.
    pub parameters: u64,
    /// Values of the adapter.
    pub trainable_parameters: u64,
    /// What memory is for, in the order in which it is taken.
    pub items: Vec<Item>,
    /// All items together.
    pub total_bytes: u64,
}

/// One use of memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What it is for.
    pub name: &'static str,
    /// How much.
    pub bytes: u64,
}

/// Estimates memory; formulas are in the documentation of the [module](super).
///
/// # Errors
/// [`EstimateError::UnknownTarget`] and [`EstimateError::TooLarge`].
pub fn estimate(
    config: &ModelConfig,
    options: &EstimateOptions,
) -> Result<Estimate, EstimateError> {
    let EstimateOptions { quantization, dtype, lora, training, generation, place } = options;
    let on_graphics = matches!(place, Place::Graphics { .. });
    let quantization = match quantization {
        Quantization::Nf4 { .. } if on_graphics => Quantization::Nf4 { double: false },
        other => *other,
    };
    let sizes = tensor_sizes(config);
    let of_role = |role: TensorRole| {
        let sizes = sizes.iter().filter(move |size| size.role == role);
        sizes.map(|size| weight_bytes(size, quantization, *dtype)).sum::<u64>()
    };
    let adapter = lora.as_ref().map(|lora| adapter(config, lora)).transpose()?.unwrap_or_default();
    let mut items = vec![
        ("embedding and head", Some(of_role(TensorRole::Embedding))),
        ("projections", Some(of_role(TensorRole::Projection))),
        ("norms and biases", Some(of_role(TensorRole::Vector))),
    ];
    if lora.is_some() {
        items.push(("adapter", product(&[adapter.parameters, F32])));
    }
    if let Some(training) = training {
        let logits = [training.logit_rows as u64, config.vocab_size as u64, 2, F32];
        items.push(("gradients", product(&[adapter.parameters, F32])));
        items.push(("optimizer", product(&[adapter.parameters, 2, F32])));
        items.push(("activations", activations(config, training, adapter.width, *place)));
        items.push(("logits", product(&logits)));
        if on_graphics {
            items.push(("scores", scores(config, training, *place)));
            items.push(("unpacked projection", unpacked(&sizes, *place)));
        }
    }
    if let Some(generation) = generation {
        let logits = [generation.slots as u64, config.vocab_size as u64, 2, F32];
        items.push(("cache", cache(config, generation)));
        items.push(("logits", product(&logits)));
        items.push(("step buffers", step_buffers(config, generation)));
    }
    let counted = items.into_iter().map(|(name, bytes)| {
        bytes.map(|bytes| Item { name, bytes }).ok_or(EstimateError::TooLarge { what: name })
    });
    let items = counted.collect::<Result<Vec<_>, _>>()?;
    let total = items.iter().try_fold(0u64, |total, item| total.checked_add(item.bytes));
    Ok(Estimate {
        parameters: sizes.iter().map(TensorSize::parameters).sum(),
        trainable_parameters: adapter.parameters,
        items,
        total_bytes: total.ok_or(EstimateError::TooLarge { what: "all together" })?,
    })
}

/// Bytes of all tensors of a kind as they lie in memory.
///
/// Dense matrices have 4 or 2 bytes a value. NF4, over the `n` values of a matrix: `⌈n/2⌉` of codes and 4 a block of 64; with
/// double quantization 1 a block, 4 for each 256 blocks, and 1,028 for the table of codes and the mean. INT8 has a byte a
/// value and 4 a row. Norms and biases are f32.
pub fn weight_bytes(size: &TensorSize, quantization: Quantization, dtype: DenseDtype) -> u64 {
    let (rows, values) = (size.rows as u64, size.rows as u64 * size.cols as u64);
    let dense = match dtype {
        DenseDtype::Auto | DenseDtype::F32 => 4 * values,
        DenseDtype::Bf16 | DenseDtype::F16 => 2 * values,
    };
    let blocks = values.div_ceil(NF4_BLOCK);
    let each = match (size.role, quantization) {
        (TensorRole::Vector, _) => F32 * values,
        (TensorRole::Embedding, _) | (TensorRole::Projection, Quantization::None) => dense,
        (TensorRole::Projection, Quantization::Nf4 { double: false }) => {
            values.div_ceil(2) + F32 * blocks
        }
        (TensorRole::Projection, Quantization::Nf4 { double: true }) => {
            values.div_ceil(2) + blocks + F32 * blocks.div_ceil(NESTED_BLOCK) + F32 * 256 + F32
        }
        (TensorRole::Projection, Quantization::Int8) => values + F32 * rows,
    };
    each * size.count as u64
}

/// Values of an adapter, and how many of them a token's activations have in a layer.
#[derive(Clone, Copy, Debug, Default)]
struct Adapter {
    parameters: u64,
    width: u64,
}

fn adapter(config: &ModelConfig, lora: &LoraSize) -> Result<Adapter, EstimateError> {
    let all = projections(config);
    let known = || all.iter().map(|(name, ..)| *name).collect::<Vec<_>>();
    if let Some(target) = lora.targets.iter().find(|target| !known().contains(&target.as_str())) {
        return Err(EstimateError::UnknownTarget { target: target.clone(), known: known() });
    }
    let (rank, layers) = (lora.rank as u64, config.layers.len() as u64);
    let mut adapter = Adapter::default();
    for (name, rows, cols, _) in &all {
        if lora.targets.is_empty() || lora.targets.iter().any(|target| target == name) {
            let too_large = || EstimateError::TooLarge { what: "adapter" };
            let values = product(&[rank, (rows + cols) as u64, layers]).ok_or_else(too_large)?;
            adapter.parameters = adapter.parameters.checked_add(values).ok_or_else(too_large)?;
            adapter.width = adapter.width.checked_add(rank).ok_or_else(too_large)?;
        }
    }
    Ok(adapter)
}

/// See [`Training`].
fn activations(
    config: &ModelConfig,
    training: &Training,
    adapter_width: u64,
    place: Place,
) -> Option<u64> {
    let (hidden, inner) = (config.hidden_size as u64, config.intermediate_size as u64);
    let (query, kv) = (config.query_width() as u64, config.kv_width() as u64);
    let layers = config.layers.len() as u64;
    let mut layer = 4 * hidden + 2 * query + 2 * kv + config.heads as u64 + 3 * inner;
    if config.qk_norms {
        layer += query + kv;
    }
    if config.post_norms {
        layer += 2 * hidden;
    }
    layer = layer.checked_add(adapter_width)?;
    let layers = match training.gradient_checkpointing {
        true => hidden * layers + layer,
        false => layer.checked_mul(layers)?,
    };
    let token = layers.checked_add(2 * hidden)?;
    product(&[training.batch as u64, training.sequence as u64, token, place.activation_bytes()])
}

/// Scores and their gradients in f32, probabilities and theirs as activations.
fn scores(config: &ModelConfig, training: &Training, place: Place) -> Option<u64> {
    let all = product(&[config.heads as u64, training.sequence as u64, training.sequence as u64])?;
    product(&[all.min(SCORES as u64), 2 * F32 + 2 * place.activation_bytes()])
}

/// The largest projection.
fn unpacked(sizes: &[TensorSize], place: Place) -> Option<u64> {
    let projections = sizes.iter().filter(|size| size.role == TensorRole::Projection);
    let largest = projections.map(|size| size.rows as u64 * size.cols as u64).max().unwrap_or(0);
    product(&[largest, place.activation_bytes()])
}

fn cache(config: &ModelConfig, generation: &Generation) -> Option<u64> {
    let head_dim = config.head_dim as u64;
    let vector = match generation.cache {
        KvDtype::F32 => 4 * head_dim,
        KvDtype::Bf16 => 2 * head_dim,
        KvDtype::Q8 => head_dim + F32,
    };
    let (slots, capacity) = (generation.slots as u64, generation.capacity as u64);
    product(&[2, config.layers.len() as u64, slots, capacity, config.kv_heads as u64, vector])
}

/// See [`Generation`].
fn step_buffers(config: &ModelConfig, generation: &Generation) -> Option<u64> {
    let (query, kv) = (config.query_width() as u64, config.kv_width() as u64);
    let widest = (2 * query + 2 * kv).max(3 * config.intermediate_size as u64);
    let tokens = generation.prefill_chunk.min(generation.capacity).max(generation.slots) as u64;
    product(&[tokens, 2 * config.hidden_size as u64 + widest, F32])
}

fn product(factors: &[u64]) -> Option<u64> {
    factors.iter().try_fold(1u64, |product, &factor| product.checked_mul(factor))
}
