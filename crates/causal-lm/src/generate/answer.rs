use std::fmt;

use super::{Constraint, Sampling};

/// What is asked for: one answer to a prompt.
#[derive(Default)]
pub struct Answer {
    /// Most tokens of the answer.
    pub max_new_tokens: usize,
    /// How its tokens are chosen.
    pub sampling: Sampling,
    /// Seed of its draws: the same seed gives the same answer, whatever else is in the batch.
    pub seed: u64,
    /// Tokens that end the answer.
    pub stop_ids: Vec<u32>,
    /// How many of the likeliest tokens are reported with each token.
    pub top_log_probs: usize,
    /// What restricts it.
    pub constraint: Option<Box<dyn Constraint>>,
}

/// An answer of a batch; a later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerId(pub(super) u64);

impl Answer {
    /// A greedy answer that ends at one of `stop_ids`.
    pub fn greedy(max_new_tokens: usize, stop_ids: &[u32]) -> Self {
        Self { max_new_tokens, stop_ids: stop_ids.to_vec(), ..Self::default() }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_new_tokens, sampling, seed, stop_ids, top_log_probs, constraint } = self;
        f.debug_struct("Answer")
            .field("max_new_tokens", max_new_tokens)
            .field("sampling", sampling)
            .field("seed", seed)
            .field("stop_ids", stop_ids)
            .field("top_log_probs", top_log_probs)
            .field("constraint", &constraint.is_some())
            .finish()
    }
}
