use burn::tensor::{Int, Tensor, TensorData};
use causal_lm::ops::{DecoderBackend, RowLosses};
use causal_lm::{BatchError, CausalLm};

use crate::LmEvaluateError;

/// Logits that are held at a time, in values: 64 MiB of f32.
const LOGITS: usize = 1 << 24;

/// The rows `places` of `hidden`.
pub(crate) fn select<B: DecoderBackend>(hidden: Tensor<B, 2>, places: &[usize]) -> Tensor<B, 2> {
    if places.len() == hidden.dims()[0] && places.iter().enumerate().all(|(at, place)| at == *place)
    {
        return hidden;
    }
    let indices: Vec<i32> = places.iter().map(|place| *place as i32).collect();
    let indices = TensorData::new(indices, [places.len()]);
    let indices = Tensor::<B, 1, Int>::from_data(indices, &hidden.device());
    hidden.select(0, indices)
}

/// The log-probability of one token behind each row of `hidden`, natural logarithm; logits exist for some rows at a time.
pub(crate) fn log_probs_of<B: DecoderBackend>(
    model: &CausalLm<B>,
    hidden: Tensor<B, 2>,
    targets: &[u32],
) -> Result<Vec<f32>, BatchError> {
    let rows = (LOGITS / model.config().vocab_size.max(1)).clamp(16, 1024);
    let chunks = targets.chunks(rows).zip((0..).step_by(rows)).map(|(chunk, start)| {
        let logits = model.logits(hidden.clone().narrow(0, start, chunk.len()));
        B::row_losses(logits.into_primitive().tensor(), chunk)
    });
    let (losses, _) = RowLosses::read(chunks.collect())?;
    Ok(losses.into_iter().map(|loss| -loss).collect())
}

/// The log-probabilities of several tokens behind each row of `hidden`.
///
/// # Errors
/// [`LmEvaluateError::Tensor`].
pub(crate) fn log_probs_of_each<B: DecoderBackend, const N: usize>(
    model: &CausalLm<B>,
    hidden: Tensor<B, 2>,
    wanted: &[[u32; N]],
) -> Result<Vec<[f64; N]>, LmEvaluateError> {
    let vocabulary = model.config().vocab_size.max(1);
    let rows = (LOGITS / vocabulary).clamp(16, 1024);
    let mut all = Vec::with_capacity(wanted.len());
    for (chunk, start) in wanted.chunks(rows).zip((0..).step_by(rows)) {
        let logits = floats(model.logits(hidden.clone().narrow(0, start, chunk.len())))?;
        for (logits, wanted) in logits.chunks_exact(vocabulary).zip(chunk) {
            let normalizer = log_sum_exp(logits);
            all.push(wanted.map(|id| f64::from(logits[id as usize]) - normalizer));
        }
    }
    Ok(all)
}

/// The values of a tensor on the host.
///
/// # Errors
/// [`LmEvaluateError::Tensor`].
pub(crate) fn floats<B: DecoderBackend>(tensor: Tensor<B, 2>) -> Result<Vec<f32>, LmEvaluateError> {
    let data = tensor.into_data().convert::<f32>();
    data.into_vec().map_err(|error| LmEvaluateError::Tensor { reason: format!("{error:?}") })
}

/// `ln Σ exp(x)`, in 64 bits and always in the same order.
fn log_sum_exp(values: &[f32]) -> f64 {
    let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let greatest = f64::from(greatest);
    let sum: f64 = values.iter().map(|value| (f64::from(*value) - greatest).exp()).sum();
    greatest + sum.ln()
}
