use burn::tensor::{Tensor, TensorData};
use lora_linear::LoraConfig;

use crate::CausalLm;
use crate::model::TokenRows;
use crate::ops::DecoderBackend;

/// Why an adapter cannot be put on a model.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrainableError {
    /// A target is no projection of the model.
    #[error("the model has no projection `{target}`; it has {}", known.join(", "))]
    UnknownTarget {
        /// What was asked for.
        target: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// A token is not in the vocabulary.
    #[error("token {id} is not in the vocabulary of {vocab_size}")]
    UnknownToken {
        /// The token.
        id: u32,
        /// Rows of the embedding.
        vocab_size: usize,
    },
}

/// Takes all adapters off: what is left is the base, with the same frozen weights. Rows of tokens that were loaded with an
/// adapter stay in the embedding.
pub fn remove_adapters<B: DecoderBackend>(model: &mut CausalLm<B>) {
    for block in model.blocks_mut() {
        block.projections_mut().into_iter().for_each(|(_, projection)| projection.lora = None);
    }
}

/// Puts new adapters on the projections of these names, such as `q_proj`; on all of them where there are none.
///
/// They change nothing yet. The seed of each derives from `seed` and its place.
///
/// # Errors
/// [`TrainableError::UnknownTarget`]; the model is as before then.
pub fn add_adapters<B: DecoderBackend>(
    model: &mut CausalLm<B>,
    config: &LoraConfig,
    targets: &[String],
    seed: u64,
) -> Result<(), TrainableError> {
    let is_meant = |module: &str| {
        targets.is_empty() || targets.iter().any(|target| module.rsplit('.').next() == Some(target))
    };
    let device = model.device().clone();
    let known: Vec<&'static str> = match model.blocks_mut().first_mut() {
        Some(block) => block.projections_mut().into_iter().map(|(name, _)| last(name)).collect(),
        None => Vec::new(),
    };
    if let Some(target) = targets.iter().find(|target| !known.contains(&target.as_str())) {
        return Err(TrainableError::UnknownTarget { target: target.clone(), known });
    }
    let mut place = 0;
    for block in model.blocks_mut() {
        for (module, projection) in block.projections_mut() {
            place += 1;
            if is_meant(module) {
                let seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(place));
                projection.lora = Some(config.init(&projection.base, seed, &device));
            }
        }
    }
    Ok(())
}

/// Gives tokens rows of their own in the embedding, and in the head where it is tied: they alone are trained of it. They
/// begin as the embedding's.
///
/// # Errors
/// [`TrainableError::UnknownToken`].
pub fn train_tokens<B: DecoderBackend>(
    model: &mut CausalLm<B>,
    ids: &[u32],
) -> Result<(), TrainableError> {
    let (vocab_size, device) = (model.config().vocab_size, model.device().clone());
    if let Some(&id) = ids.iter().find(|id| **id as usize >= vocab_size) {
        return Err(TrainableError::UnknownToken { id, vocab_size });
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let rows = model.embedding().select(&ids, &device);
    // A copy of its own: the embedding stays as it is.
    let (shape, values) = (rows.dims(), rows.into_data().iter::<f32>().collect::<Vec<_>>());
    let rows = Tensor::from_data(TensorData::new(values, shape), &device);
    model.set_token_rows((!ids.is_empty()).then(|| TokenRows::new(ids, rows)));
    Ok(())
}

fn last(module: &'static str) -> &'static str {
    module.rsplit('.').next().unwrap_or(module)
}
