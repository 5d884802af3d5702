use cpu_kernels::decoder::Span;

use super::cached_model::floats;
use super::log_softmax::Normalizer;
use super::{AnyError, GenerateError};
use crate::CausalLm;
use crate::ops::DecoderBackend;

/// Rows whose logits are held at once: 25 MB at 49,152 tokens.
const ROWS: usize = 128;

/// The log-probability of each token of `ids` but the first, after those before it: `ids.len() - 1` values, natural
/// logarithm. The perplexity of the sequence is `exp` of minus their mean.
///
/// The whole sequence goes through the model at once; logits are made and dropped by chunks of rows.
///
/// # Errors
/// [`GenerateError::EmptyPrompt`], [`GenerateError::UnknownId`], [`GenerateError::NotFinite`], [`GenerateError::Model`].
pub fn score<B: DecoderBackend>(
    model: &CausalLm<B>,
    ids: &[u32],
) -> Result<Vec<f32>, GenerateError> {
    let vocabulary = model.config().vocab_size;
    if ids.is_empty() {
        return Err(GenerateError::EmptyPrompt);
    }
    if let Some(position) = ids.iter().position(|&id| id as usize >= vocabulary) {
        return Err(GenerateError::UnknownId { id: ids[position], position, vocabulary });
    }
    let (before, next) = (&ids[..ids.len() - 1], &ids[1..]);
    if before.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |source: AnyError| GenerateError::Model { tokens: before.len(), source };
    let span = Span { start: 0, len: before.len(), position: 0, slot: 0 };
    let hidden = model.hidden(before, &[span], None).map_err(|error| failed(error.into()))?;
    let mut log_probs = Vec::with_capacity(next.len());
    for start in (0..before.len()).step_by(ROWS) {
        let len = ROWS.min(before.len() - start);
        let logits = model.logits(hidden.clone().narrow(0, start, len));
        let logits = floats(logits).map_err(failed)?;
        for (row, &id) in logits.chunks_exact(vocabulary).zip(&next[start..]) {
            let position = log_probs.len() + 1;
            let normalizer = Normalizer::of(row)
                .map_err(|found| GenerateError::NotFinite { position, found })?;
            log_probs.push(normalizer.log_prob(row[id as usize]));
        }
    }
    Ok(log_probs)
}
