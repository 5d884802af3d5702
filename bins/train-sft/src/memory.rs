use causal_lm::estimate::{
    Estimate, EstimateError, EstimateOptions, Item, LoraSize, Place, Training, estimate,
};
use causal_lm::{DenseDtype, ModelConfig};
use optimizer::BLOCK;

use crate::config::{AdapterKind, SftConfig, StateKind};

/// What the program itself takes: its code, threads' scratch, what the allocator keeps.
const PROGRAM: u64 = 96 << 20;

/// Bytes of an f32.
const F32: u64 = 4;

/// What memory is needed for, besides the settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// How embedding and head lie in memory.
    pub(crate) dense: DenseDtype,
    /// Tokens of the longest row.
    pub(crate) sequence: usize,
    /// Tokens whose rows of the embedding are trained.
    pub(crate) new_tokens: usize,
    /// Tokens of the data, which is in memory.
    pub(crate) data_tokens: u64,
    /// Whose memory is asked for.
    pub(crate) place: Place,
}

/// Estimates the memory of training, item by item.
///
/// # Errors
/// [`EstimateError`].
pub(crate) fn training_memory(
    model: &ModelConfig,
    config: &SftConfig,
    load: Load,
) -> Result<Estimate, EstimateError> {
    let lora = (config.adapter == AdapterKind::Lora).then(|| LoraSize {
        rank: config.lora.r,
        targets: config.lora.target_modules.names().to_vec(),
    });
    let training = Training {
        batch: config.micro_batch,
        sequence: load.sequence,
        gradient_checkpointing: config.gradient_checkpointing,
        logit_rows: (load.place.logit_rows(model.vocab_size))
            .min(config.micro_batch.saturating_mul(load.sequence)),
    };
    let options = EstimateOptions {
        quantization: config.quantization.with(config.double_quantization),
        dtype: match config.adapter {
            AdapterKind::Lora => load.dense,
            AdapterKind::None => DenseDtype::F32,
        },
        lora,
        training: Some(training),
        generation: None,
        place: load.place,
    };
    let mut whole = estimate(model, &options)?;
    let trained = match config.adapter {
        AdapterKind::Lora => {
            whole.trainable_parameters + (load.new_tokens * model.hidden_size) as u64
        }
        AdapterKind::None => whole.parameters,
    };
    whole.trainable_parameters = trained;
    let state = match config.optimizer.state {
        StateKind::F32 => 2 * F32 * trained,
        // A byte for each moment, and a scale for each block of them.
        StateKind::Blockwise8 => 2 * trained + 2 * F32 * trained.div_ceil(BLOCK as u64),
    };
    for Item { name, bytes } in &mut whole.items {
        match *name {
            // The adapter's is in it; the rest are rows of new tokens, or all weights.
            "gradients" => *bytes = F32 * trained,
            "optimizer" => *bytes = state,
            _ => {}
        }
    }
    if load.place == Place::Processor {
        // The trainer moves all trained values in one flat buffer.
        whole.items.push(Item { name: "flat copy of trained values", bytes: F32 * trained });
        whole.items.push(Item { name: "tokens of the data", bytes: F32 * load.data_tokens });
        whole.items.push(Item { name: "program", bytes: PROGRAM });
    }
    let total = whole.items.iter().try_fold(0_u64, |total, item| total.checked_add(item.bytes));
    whole.total_bytes = total.ok_or(EstimateError::TooLarge { what: "all together" })?;
    Ok(whole)
}
