use crate::closing::{Effort, closing};
use crate::forced::canonical_tokens;
use crate::parser_state::{Cause, ParserState};
use crate::{Grammar, GrammarError, TokenMask};

/// States that a search looks at while a text is written; where it finds no end in time the token
/// is refused, so this bounds the time a token takes and not what is right.
const STATES: usize = 200;

/// What became of a sampled token.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is part of the text, which goes on.
    Accepted,
    /// The text is whole, and nothing can follow it.
    Finished,
    /// No end within the budget was found from there. Nothing has changed but the next mask, which
    /// allows the one token that leads to the end.
    Refused,
}

/// Follows one text through its grammar.
///
/// Before each token ask for the [`Matcher::mask`], and tell [`Matcher::accept`] what was sampled.
/// The matcher knows at all times a way to the end that fits into the budget, its plan; what does not leave one
/// is refused. Far from the end nothing is planned where the grammar is known to be tame.
///
/// The token that ends generation does not count: where the text could go on the mask allows it
/// beside others, and where nothing can follow [`Step::Finished`] tells so without it.
#[derive(Clone)]
pub struct Matcher {
    grammar: Grammar,
    parser: ParserState,
    /// Tokens that end the text from the state `since_plan` tokens ago.
    plan: Vec<u32>,
    since_plan: usize,
    remaining: usize,
    tokens: usize,
    mask: Option<TokenMask>,
    follow_plan: bool,
    finished: bool,
}

impl Matcher {
    pub(crate) fn new(grammar: Grammar, budget: usize) -> Self {
        Self {
            parser: grammar.parser().clone(),
            plan: grammar.plan().to_vec(),
            since_plan: 0,
            remaining: budget,
            tokens: 0,
            mask: None,
            follow_plan: false,
            finished: false,
            grammar,
        }
    }

    /// The tokens that may come next when at most `remaining` tokens may still come, the next one
    /// counted. After the end only tokens that end generation are allowed.
    ///
    /// # Errors
    /// [`GrammarError::Budget`] where the caller took away more of the budget than tokens were
    /// accepted, and no end fits any more; [`GrammarError::Failed`] where the grammar's state grew
    /// beyond its limits.
    pub fn mask(&mut self, remaining: usize) -> Result<&TokenMask, GrammarError> {
        if remaining != self.remaining {
            self.remaining = remaining;
            self.mask = None;
        }
        let mask = match self.mask.take() {
            Some(mask) => mask,
            None => self.new_mask()?,
        };
        Ok(self.mask.insert(mask))
    }

    /// Takes the sampled token.
    ///
    /// # Errors
    /// [`GrammarError::NotAllowed`] and [`GrammarError::AfterEnd`] change nothing;
    /// [`GrammarError::Failed`] as [`Matcher::mask`].
    pub fn accept(&mut self, id: u32) -> Result<Step, GrammarError> {
        if self.finished {
            return Err(GrammarError::AfterEnd { id });
        }
        let allowed = match &self.mask {
            Some(mask) => mask.allows(id),
            None => self.is_valid(id)?,
        };
        if !allowed {
            return Err(GrammarError::NotAllowed { id });
        }
        if self.grammar.vocabulary().eos_ids().contains(&id) {
            self.finished = true;
            self.mask = None;
            return Ok(Step::Finished);
        }
        let Some(left) = self.remaining.checked_sub(1) else {
            return Err(GrammarError::NotAllowed { id });
        };
        if self.since_plan == 0 && self.plan.first() == Some(&id) {
            self.consume(id)?;
            self.plan.remove(0);
        } else if self.is_far(left) {
            self.consume(id)?;
            self.since_plan += 1;
        } else {
            self.renew_plan()?;
            let mut ahead = self.clone();
            ahead.consume(id)?;
            let Some(plan) = ahead.plan_from_here(left) else {
                self.follow_plan = true;
                self.mask = None;
                return Ok(Step::Refused);
            };
            *self = Self { plan, ..ahead };
        }
        self.remaining = left;
        self.follow_plan = false;
        self.mask = None;
        Ok(if self.finished { Step::Finished } else { Step::Accepted })
    }

    /// Whether the text is whole and nothing can follow it, or a token ended it.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Tokens that must come next, such as a tag after a tag or a key of a schema: each may be
    /// accepted without asking the model. Often empty.
    ///
    /// Special tokens are always found, text only with [`crate::Vocabulary::with_tokenizer`]. The last token
    /// of a text is left to the model, since what follows may be part of its token.
    pub fn forced(&self) -> Vec<u32> {
        let (vocabulary, mut state) = (self.grammar.vocabulary(), self.parser.clone());
        let tokens = match self.finished {
            true => Vec::new(),
            false => canonical_tokens(&state.forced_bytes(), vocabulary),
        };
        match state.valid(&tokens) {
            Ok(valid) if valid == tokens.len() => tokens,
            _ => Vec::new(),
        }
    }

    fn new_mask(&mut self) -> Result<TokenMask, GrammarError> {
        let vocabulary = self.grammar.vocabulary().clone();
        if self.finished {
            return Ok(TokenMask::of(vocabulary.eos_ids(), vocabulary.len()));
        }
        if !self.is_far(self.remaining) {
            self.renew_plan()?;
            let (budget, needed) = (self.remaining, self.plan.len());
            if needed > budget {
                // The caller shortened the budget; a shorter end than the plan's may exist.
                self.plan =
                    self.plan_from_here(budget).ok_or(GrammarError::Budget { budget, needed })?;
            }
            if self.follow_plan || self.plan.len() == budget {
                let ids = match self.plan.first() {
                    Some(id) => std::slice::from_ref(id),
                    None => vocabulary.eos_ids(),
                };
                return Ok(TokenMask::of(ids, vocabulary.len()));
            }
        }
        let tokens = self.tokens;
        let mask = self.parser.mask().map_err(|cause| failed(tokens, cause))?;
        Ok(TokenMask::new(mask))
    }

    /// Whether any plan from here must fit into `left` tokens without looking for it.
    fn is_far(&self, left: usize) -> bool {
        let Some(growth) = self.grammar.growth() else { return false };
        !self.follow_plan && left >= self.plan.len() + growth * (self.since_plan + 2)
    }

    /// Makes the plan one of the present state.
    fn renew_plan(&mut self) -> Result<(), GrammarError> {
        if self.since_plan > 0 {
            let (budget, needed) = (self.remaining, self.plan.len());
            let plan = self.plan_from_here(budget);
            self.plan = plan.ok_or(GrammarError::Budget { budget, needed })?;
            self.since_plan = 0;
        }
        Ok(())
    }

    /// An end from the present state of at most `longest` tokens: the old plan where it still leads
    /// there, else what a search finds.
    fn plan_from_here(&mut self, longest: usize) -> Option<Vec<u32>> {
        if self.finished {
            return Some(Vec::new());
        }
        if self.plan.len() <= longest && self.parser.closes(&self.plan) {
            return Some(self.plan.clone());
        }
        let effort = Effort { longest, states: STATES, extra: 0 };
        closing(&self.parser, &self.plan, self.grammar.vocabulary(), effort)
    }

    fn is_valid(&mut self, id: u32) -> Result<bool, GrammarError> {
        if id as usize >= self.grammar.vocabulary().len() {
            return Ok(false);
        }
        let tokens = self.tokens;
        let valid = self.parser.valid(&[id]).map_err(|cause| failed(tokens, cause))?;
        Ok(valid == 1)
    }

    fn consume(&mut self, id: u32) -> Result<(), GrammarError> {
        let tokens = self.tokens;
        self.parser.consume(&[id]).map_err(|cause| failed(tokens, cause))?;
        self.tokens += 1;
        self.finished = self.parser.is_stopped();
        Ok(())
    }
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("Matcher");
        out.field("grammar", &self.grammar).field("tokens", &self.tokens);
        out.field("remaining", &self.remaining).field("plan", &self.plan);
        out.finish_non_exhaustive()
    }
}

fn failed(tokens: usize, source: Cause) -> GrammarError {
    GrammarError::Failed { tokens, source }
}
