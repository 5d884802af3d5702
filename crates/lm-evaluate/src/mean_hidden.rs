use causal_lm::CausalLm;
use causal_lm::ops::DecoderBackend;
use cpu_kernels::decoder::Span;

use crate::LmEvaluateError;
use crate::log_probs::floats;

/// The mean over a text's tokens of the model's final hidden states, behind its last norm: one vector of the model's width
/// for each text, in 64-bit sums. `None` for a text without tokens.
///
/// Each text is a sequence of its own, without a prompt; at most `chunk` tokens run at once, but for a text that is longer
/// by itself.
///
/// # Errors
/// [`LmEvaluateError::Batch`] for ids that the model does not know.
pub fn mean_hidden<B: DecoderBackend>(
    model: &CausalLm<B>,
    texts: &[Vec<u32>],
    chunk: usize,
) -> Result<Vec<Option<Vec<f32>>>, LmEvaluateError> {
    let mut means = Vec::with_capacity(texts.len());
    let mut rest = texts;
    while !rest.is_empty() {
        let (mut count, mut tokens) = (0, 0);
        for text in rest {
            if tokens > 0 && tokens + text.len() > chunk {
                break;
            }
            (count, tokens) = (count + 1, tokens + text.len());
        }
        let (of_pass, others) = rest.split_at(count);
        means.extend(means_of(model, of_pass)?);
        rest = others;
    }
    Ok(means)
}

fn means_of<B: DecoderBackend>(
    model: &CausalLm<B>,
    texts: &[Vec<u32>],
) -> Result<Vec<Option<Vec<f32>>>, LmEvaluateError> {
    let (mut ids, mut spans) = (Vec::new(), Vec::new());
    for text in texts.iter().filter(|text| !text.is_empty()) {
        spans.push(Span { start: ids.len(), len: text.len(), position: 0, slot: spans.len() });
        ids.extend_from_slice(text);
    }
    if ids.is_empty() {
        return Ok(vec![None; texts.len()]);
    }
    let hidden = model.hidden(&ids, &spans, None)?;
    let width = hidden.dims()[1];
    let hidden = floats(hidden)?;
    let mut rest = hidden.as_slice();
    let mut mean = |text: &Vec<u32>| {
        if text.is_empty() {
            return None;
        }
        let (own, others) = rest.split_at(text.len() * width);
        rest = others;
        let mut sums = vec![0.0_f64; width];
        for row in own.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        Some(sums.into_iter().map(|sum| (sum / text.len() as f64) as f32).collect())
    };
    Ok(texts.iter().map(&mut mean).collect())
}
