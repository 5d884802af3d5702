use super::candidates::{Scratch, candidates, draw, kth_largest};
use super::log_softmax::{Normalizer, greatest};
use super::random::uniform;
use super::{GenerateError, Sampling, Token, TokenMask};

/// What the choice of one token depends on besides the logits.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) sampling: &'a Sampling,
    pub(super) seed: u64,
    /// Which of the seed's draws is due.
    pub(super) draw: usize,
    /// Number of tokens before, for errors.
    pub(super) position: usize,
    /// Tokens that prompt or answer have, each once.
    pub(super) seen: &'a [u32],
    pub(super) mask: Option<&'a TokenMask>,
    pub(super) top_log_probs: usize,
}

/// Chooses a token. `logits`, one row, is left changed.
///
/// # Errors
/// [`GenerateError::NotFinite`] and [`GenerateError::NoTokenAllowed`].
pub(super) fn pick(
    logits: &mut [f32],
    choice: &Choice<'_>,
    scratch: &mut Scratch,
) -> Result<Token, GenerateError> {
    let Choice { sampling, seed, draw: index, position, seen, mask, top_log_probs } = *choice;
    let normalizer =
        Normalizer::of(logits).map_err(|found| GenerateError::NotFinite { position, found })?;
    let top = likeliest(logits, top_log_probs, &normalizer);
    let options = sampling.options();
    let before_penalty = match options.repetition_penalty {
        Some(penalty) if penalty != 1.0 => penalize(logits, seen, penalty),
        _ => Vec::new(),
    };
    if let Some(mask) = mask {
        mask.apply(logits);
    }
    let id = if sampling.is_greedy() {
        let max = greatest(logits);
        let found = logits.iter().position(|&logit| logit == max);
        found.filter(|_| max > f32::NEG_INFINITY).map(|id| id as u32)
    } else if greatest(logits) > f32::NEG_INFINITY {
        draw(candidates(logits, &options, scratch), uniform(seed, index as u64))
    } else {
        None
    };
    let id = id.ok_or(GenerateError::NoTokenAllowed { position })?;
    let changed = before_penalty.iter().find(|(changed, _)| *changed == id);
    let logit = changed.map_or_else(|| logits[id as usize], |(_, logit)| *logit);
    Ok(Token { id, log_prob: Some(normalizer.log_prob(logit)), top })
}

/// Makes the tokens `seen`, each named once, less likely; returns what their logits were.
///
/// Source: Keskar et al. (2019), with the division of negative logits turned into a product as transformers has it.
pub(super) fn penalize(logits: &mut [f32], seen: &[u32], penalty: f32) -> Vec<(u32, f32)> {
    let mut before = Vec::with_capacity(seen.len());
    for &id in seen {
        if let Some(logit) = logits.get_mut(id as usize) {
            before.push((id, *logit));
            *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
        }
    }
    before
}

/// The `n` likeliest tokens, likeliest first; of equals the lower id.
fn likeliest(logits: &[f32], n: usize, normalizer: &Normalizer) -> Vec<(u32, f32)> {
    let n = n.min(logits.len());
    if n == 0 {
        return Vec::new();
    }
    let least = kth_largest(logits, n, &mut Vec::new());
    let ids = logits.iter().enumerate().filter(|(_, logit)| **logit >= least);
    let mut top: Vec<(u32, f32)> = ids.map(|(id, &logit)| (id as u32, logit)).collect();
    top.sort_by(|a, b| b.1.total_cmp(&a.1));
    top.truncate(n);
    top.iter_mut().for_each(|(_, logit)| *logit = normalizer.log_prob(*logit));
    top
}
