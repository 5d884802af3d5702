use token_grammar::{Matcher, Step};

use super::{AnyError, Constraint, TokenMask, Verdict};

/// A grammar over the ids of the model. Its matcher must have the answer's `max_new_tokens` as its budget; then an answer
/// that ends by [`Finish::Length`](super::Finish::Length) is whole, too.
impl Constraint for Matcher {
    fn mask(&mut self, remaining: usize, allowed: &mut TokenMask) -> Result<(), AnyError> {
        allowed.copy_words(Self::mask(self, remaining)?.words());
        Ok(())
    }

    fn accept(&mut self, id: u32) -> Result<Verdict, AnyError> {
        Ok(match Self::accept(self, id)? {
            Step::Accepted | Step::Finished => Verdict::Accepted,
            Step::Refused => Verdict::Refused,
        })
    }

    fn is_finished(&self) -> bool {
        Self::is_finished(self)
    }

    fn forced(&mut self) -> Vec<u32> {
        Self::forced(self)
    }
}
