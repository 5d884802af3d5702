use super::AnyError;

/// What restricts an answer: a grammar, a list of choices. The engine asks it before each token and tells it each token.
pub trait Constraint: Send {
    /// Writes the tokens that may come next to `allowed`, so that the answer can still end within `remaining` tokens, the
    /// next one included.
    ///
    /// # Errors
    /// Whatever keeps it from knowing; the answer fails.
    fn mask(&mut self, remaining: usize, allowed: &mut TokenMask) -> Result<(), AnyError>;

    /// Takes the token that was chosen, which is no stop token.
    ///
    /// # Errors
    /// A token that it did not allow; the answer fails.
    fn accept(&mut self, id: u32) -> Result<Verdict, AnyError>;

    /// Whether the answer is complete, so that nothing may follow.
    fn is_finished(&self) -> bool;

    /// Tokens that must come next, without being accepted yet; empty where there is a choice. They are appended without
    /// asking the model.
    fn forced(&mut self) -> Vec<u32> {
        Vec::new()
    }
}

/// What a constraint says to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is part of the answer.
    Accepted,
    /// It is not, although the mask allowed it; nothing has changed but the next mask, which allows another one.
    Refused,
}

/// A set of token ids, a bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenMask {
    words: Vec<u32>,
}

impl TokenMask {
    /// Takes every id out, and makes room for `vocabulary` ids.
    pub fn clear(&mut self, vocabulary: usize) {
        self.words.clear();
        self.words.resize(vocabulary.div_ceil(32), 0);
    }

    /// Adds an id; one without a place is left out.
    pub fn insert(&mut self, id: u32) {
        if let Some(word) = self.words.get_mut(id as usize / 32) {
            *word |= 1 << (id % 32);
        }
    }

    /// Replaces all by words of 32 ids each, the lowest id in the lowest bit.
    pub fn copy_words(&mut self, words: &[u32]) {
        self.words.clear();
        self.words.extend_from_slice(words);
    }

    /// Whether the id is in the set.
    pub fn contains(&self, id: u32) -> bool {
        self.words.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1)
    }

    /// Sets the logits of all other ids to negative infinity.
    pub(super) fn apply(&self, logits: &mut [f32]) {
        let words = self.words.iter().copied().chain(std::iter::repeat(0));
        for (logits, word) in logits.chunks_mut(32).zip(words) {
            match word {
                u32::MAX => {}
                0 => logits.fill(f32::NEG_INFINITY),
                word => {
                    for (bit, logit) in logits.iter_mut().enumerate() {
                        if word >> bit & 1 == 0 {
                            *logit = f32::NEG_INFINITY;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_keeps_its_ids_only() {
        let mut mask = TokenMask::default();
        mask.clear(70);
        for id in [0, 31, 64, 69, 1000] {
            mask.insert(id);
        }
        let mut logits = vec![1.0; 100];
        mask.apply(&mut logits);
        let kept: Vec<usize> = (0..100).filter(|&id| logits[id] == 1.0).collect();
        assert_eq!(kept, [0, 31, 64, 69]);
        assert!((0..100).all(|id| mask.contains(id) == kept.contains(&(id as usize))));
        mask.copy_words(&[u32::MAX, 1]);
        let mut logits = vec![1.0; 40];
        mask.apply(&mut logits);
        assert_eq!(logits.iter().filter(|&&x| x == 1.0).count(), 33);
    }
}
