//! The search for the tokens that end a text.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::Vocabulary;
use crate::candidates::candidates;
use crate::forced::fewest_forced_tokens;
use crate::parser_state::ParserState;
use crate::shorten::shorten;

/// What choosing another than the likeliest token costs, in tokens. Low values find shorter ends,
/// high ones find an end sooner.
const DETOUR: usize = 24;

/// How far a search goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Most tokens of an end.
    pub(crate) longest: usize,
    /// Most states that are looked at.
    pub(crate) states: usize,
    /// States that are looked at in the hope for something shorter once an end is known.
    pub(crate) extra: usize,
}

/// Finds tokens that end the text from the state of `parser` on, an end of `known` where that helps.
///
/// What is found does end the text: the parser has seen it. That nothing shorter exists is not
/// certain.
pub(crate) fn closing(
    parser: &ParserState,
    known: &[u32],
    vocabulary: &Vocabulary,
    effort: Effort,
) -> Option<Vec<u32>> {
    let mut search = Search { vocabulary, known, effort, base: parser, best: None };
    search.run();
    search.best
}

struct Search<'a> {
    vocabulary: &'a Vocabulary,
    known: &'a [u32],
    effort: Effort,
    base: &'a ParserState,
    best: Option<Vec<u32>>,
}

/// A state that is yet to be looked at: the one before it, and the tokens from there.
struct Open {
    before: Rc<ParserState>,
    step: Vec<u32>,
    tokens: Vec<u32>,
    detours: usize,
}

impl Search<'_> {
    fn run(&mut self) {
        let mut open: Vec<Option<Open>> = Vec::new();
        let mut queue = BinaryHeap::new();
        let start = Open {
            before: Rc::new(self.base.clone()),
            step: Vec::new(),
            tokens: Vec::new(),
            detours: 0,
        };
        queue.push(Reverse((0, 0)));
        open.push(Some(start));
        let mut left = self.effort.states;
        while let Some(Reverse((_, index))) = queue.pop() {
            let Some(state) = open.get_mut(index).and_then(Option::take) else { continue };
            if left == 0 {
                break;
            }
            left -= 1;
            let had_end = self.best.is_some();
            for next in self.look_at(state) {
                let cost = next.detours * DETOUR + next.tokens.len();
                queue.push(Reverse((cost, open.len())));
                open.push(Some(next));
            }
            if self.best.is_some() && !had_end {
                left = left.min(self.effort.extra);
            }
        }
    }

    /// Looks at a state: it may be an end, or what comes after it is returned.
    fn look_at(&mut self, state: Open) -> Vec<Open> {
        let mut parser = (*state.before).clone();
        if !state.step.is_empty() && parser.consume(&state.step).is_err() {
            return Vec::new();
        }
        if self.is_end(&mut parser, &state.tokens) || parser.is_stopped() {
            return Vec::new();
        }
        // Single bytes are merged later, so a way there may be longer than what comes of it.
        let longest = self.best.as_ref().map_or(self.effort.longest, |best| best.len() - 1);
        if state.tokens.len() > 4 * longest {
            return Vec::new();
        }
        let forced = fewest_forced_tokens(&parser.forced_bytes(), self.vocabulary);
        let steps = match parser.valid(&forced) {
            Ok(valid) if valid == forced.len() && valid > 0 => vec![forced],
            _ => {
                let next = candidates(&mut parser, self.vocabulary).unwrap_or_default();
                next.into_iter().map(|id| vec![id]).collect()
            }
        };
        let parser = Rc::new(parser);
        let after = steps.into_iter().enumerate().map(|(rank, step)| Open {
            before: parser.clone(),
            tokens: [state.tokens.as_slice(), &step].concat(),
            step,
            detours: state.detours + rank,
        });
        after.collect()
    }

    /// Keeps the tokens where they end the text, alone or with an end of what was known.
    fn is_end(&mut self, parser: &mut ParserState, tokens: &[u32]) -> bool {
        let longest = self.best.as_ref().map_or(self.effort.longest, |best| best.len() - 1);
        for from in (0..=self.known.len()).rev() {
            let rest = &self.known[from..];
            if !parser.closes(rest) {
                continue;
            }
            let whole = [tokens, rest].concat();
            let short = shorten(&whole, self.vocabulary);
            let fits = short.len() < whole.len() && self.base.clone().closes(&short);
            let found = if fits { short } else { whole };
            if found.len() <= longest {
                self.best = Some(found);
                return true;
            }
        }
        false
    }
}
