use std::sync::Arc;

use super::candidates::Scratch;
use super::pick::{Choice, pick};
use super::{
    Answer, AnswerId, AnyError, Finish, GenerateError, Happening, Token, TokenMask, Verdict,
};

/// An answer on its way.
pub(super) struct Row {
    pub(super) id: AnswerId,
    pub(super) prompt: Arc<[u32]>,
    /// Prompt and answer.
    pub(super) ids: Vec<u32>,
    /// How many of `ids` have their keys and values in the cache.
    pub(super) cached: usize,
    answer: Answer,
    seen: Seen,
    mask: TokenMask,
    scratch: Scratch,
    /// The logits of a choice that a constraint may refuse.
    logits: Vec<f32>,
}

/// How often a constraint may refuse a token before the answer fails.
const MOST_REFUSALS: usize = 16;

impl Row {
    pub(super) fn new(id: AnswerId, prompt: Arc<[u32]>, answer: Answer) -> Self {
        let mut ids = Vec::with_capacity(prompt.len() + answer.max_new_tokens);
        ids.extend_from_slice(&prompt);
        let wanted = answer.sampling.options().repetition_penalty.is_some();
        let mut seen = Seen { wanted, ..Seen::default() };
        ids.iter().for_each(|&id| seen.insert(id));
        let (mask, scratch, logits) = (TokenMask::default(), Scratch::default(), Vec::new());
        Self { id, prompt, ids, cached: 0, answer, seen, mask, scratch, logits }
    }

    /// Tokens that have yet to go through the model.
    pub(super) fn pending(&self) -> usize {
        self.ids.len() - self.cached
    }

    /// Whether the model has seen all of the prompt.
    pub(super) fn is_prefilled(&self) -> bool {
        self.cached >= self.prompt.len()
    }

    /// What happens before the model is asked for the first time: an answer may be complete, or begin with tokens that
    /// are forced.
    pub(super) fn begin(&mut self, happen: &mut Vec<Happening>) {
        let begun = self.go_on(happen);
        self.settle(begun, happen);
    }

    /// Whether its next token is the likeliest, and nothing but that token's log-probability is asked for.
    pub(super) fn is_plain(&self) -> bool {
        let Answer { sampling, constraint, top_log_probs, .. } = &self.answer;
        let no_penalty = sampling.options().repetition_penalty.is_none();
        sampling.is_greedy() && no_penalty && constraint.is_none() && *top_log_probs == 0
    }

    /// The token that the model chose for a [plain](Self::is_plain) row.
    pub(super) fn chosen(&self, (id, log_prob): (u32, f32)) -> Result<Token, GenerateError> {
        if log_prob.is_finite() {
            return Ok(Token { id, log_prob: Some(log_prob), top: Vec::new() });
        }
        let found = "a logit is NaN or infinite";
        Err(GenerateError::NotFinite { position: self.ids.len(), found })
    }

    /// Chooses the next token from the row's logits, which are left changed, and tells the constraint.
    pub(super) fn choose(&mut self, logits: &mut [f32]) -> Result<Token, GenerateError> {
        let remaining = self.remaining();
        let choice = Choice {
            sampling: &self.answer.sampling,
            seed: self.answer.seed,
            draw: self.answer.max_new_tokens - remaining,
            position: self.ids.len(),
            seen: &self.seen.ids,
            mask: None,
            top_log_probs: self.answer.top_log_probs,
        };
        let Some(constraint) = &mut self.answer.constraint else {
            return pick(logits, &choice, &mut self.scratch);
        };
        let position = choice.position;
        let failed = |source: AnyError| GenerateError::Constraint { position, source };
        for _ in 0..MOST_REFUSALS {
            constraint.mask(remaining, &mut self.mask).map_err(failed)?;
            self.logits.clear();
            self.logits.extend_from_slice(logits);
            let choice = Choice { mask: Some(&self.mask), ..choice };
            let token = pick(&mut self.logits, &choice, &mut self.scratch)?;
            if self.answer.stop_ids.contains(&token.id) {
                return Ok(token);
            }
            if constraint.accept(token.id).map_err(failed)? == Verdict::Accepted {
                return Ok(token);
            }
        }
        Err(GenerateError::NoTokenAllowed { position })
    }

    /// Takes the token that was chosen, and tokens that it forces.
    pub(super) fn take(
        &mut self,
        chosen: Result<Token, GenerateError>,
        happen: &mut Vec<Happening>,
    ) {
        let taken = match chosen {
            Err(error) => Err(error),
            Ok(token) if self.answer.stop_ids.contains(&token.id) => {
                Ok(Some(Finish::StopToken(token)))
            }
            Ok(token) => {
                self.ids.push(token.id);
                self.seen.insert(token.id);
                happen.push(Happening::Token(token));
                self.go_on(happen)
            }
        };
        self.settle(taken, happen);
    }

    fn settle(&self, end: Result<Option<Finish>, GenerateError>, happen: &mut Vec<Happening>) {
        match end {
            Ok(None) => {}
            Ok(Some(finish)) => happen.push(Happening::Finished(finish)),
            Err(error) => happen.push(Happening::Failed(error)),
        }
    }

    /// Looks whether the answer is complete, and else appends what is forced.
    fn go_on(&mut self, happen: &mut Vec<Happening>) -> Result<Option<Finish>, GenerateError> {
        loop {
            let remaining = self.remaining();
            if self.answer.constraint.as_ref().is_some_and(|constraint| constraint.is_finished()) {
                return Ok(Some(Finish::Constraint));
            }
            if remaining == 0 {
                return Ok(Some(Finish::Length));
            }
            let Some(constraint) = &mut self.answer.constraint else { return Ok(None) };
            let forced = constraint.forced();
            if forced.is_empty() {
                return Ok(None);
            }
            for id in forced.into_iter().take(remaining) {
                if self.answer.stop_ids.contains(&id) {
                    let token = Token { id, log_prob: None, top: Vec::new() };
                    return Ok(Some(Finish::StopToken(token)));
                }
                let position = self.ids.len();
                let failed = |source: AnyError| GenerateError::Constraint { position, source };
                if constraint.accept(id).map_err(failed)? == Verdict::Refused {
                    return Ok(None);
                }
                self.ids.push(id);
                self.seen.insert(id);
                happen.push(Happening::Token(Token { id, log_prob: None, top: Vec::new() }));
            }
        }
    }

    /// Tokens that the answer may still have.
    fn remaining(&self) -> usize {
        (self.prompt.len() + self.answer.max_new_tokens) - self.ids.len()
    }
}

/// Ids, each once, in the order in which they came.
#[derive(Debug, Default)]
struct Seen {
    /// Whether anyone asks.
    wanted: bool,
    ids: Vec<u32>,
    mask: Vec<bool>,
}

impl Seen {
    fn insert(&mut self, id: u32) {
        if !self.wanted {
            return;
        }
        let at = id as usize;
        if at >= self.mask.len() {
            self.mask.resize(at + 1, false);
        }
        if !std::mem::replace(&mut self.mask[at], true) {
            self.ids.push(id);
        }
    }
}
