use llguidance::toktrie::SimpleVob;

/// The tokens that may come next: a bit for each id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMask {
    bits: SimpleVob,
}

impl TokenMask {
    pub(crate) fn new(bits: SimpleVob) -> Self {
        Self { bits }
    }

    pub(crate) fn of(ids: &[u32], vocabulary: usize) -> Self {
        let mut bits = SimpleVob::alloc(vocabulary);
        for id in ids {
            bits.allow_token(*id);
        }
        Self { bits }
    }

    /// Whether an id may come; never for ids beyond the vocabulary.
    pub fn allows(&self, id: u32) -> bool {
        (id as usize) < self.bits.len() && self.bits.is_allowed(id)
    }

    /// How many ids may come.
    pub fn count(&self) -> usize {
        self.bits.num_set()
    }

    /// The ids that may come, ascending.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        let words = self.words().iter().enumerate();
        words.flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at as u32 * 32 + bit)
            })
        })
    }

    /// The bits, 32 ids a word, the lowest bit first; there may be fewer words than a model has
    /// logits, and what is beyond them may not come.
    pub fn words(&self) -> &[u32] {
        self.bits.as_slice()
    }

    /// Makes the logits of all ids that may not come −∞.
    pub fn apply(&self, logits: &mut [f32]) {
        let words = self.words();
        for (at, chunk) in logits.chunks_mut(32).enumerate() {
            let word = words.get(at).copied().unwrap_or(0);
            if word == u32::MAX {
                continue;
            }
            for (bit, logit) in chunk.iter_mut().enumerate() {
                if word >> bit & 1 == 0 {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
    }
}
