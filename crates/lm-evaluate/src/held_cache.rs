use burn::tensor::Tensor;
use causal_lm::ops::DecoderBackend;
use causal_lm::{BatchError, CausalLm, KvCache};
use cpu_kernels::decoder::Span;

use crate::LmEvaluateError;
use crate::log_probs::{log_probs_of, log_probs_of_each, select};

/// A cache of which it is known whose tokens lie in it: sequences that begin like them run only what is new.
pub(crate) struct HeldCache<'m, B: DecoderBackend> {
    model: &'m CausalLm<B>,
    cache: KvCache<B>,
    /// The tokens of each slot.
    held: Vec<Vec<u32>>,
    /// Most tokens that run at once, but for a sequence that is longer by itself.
    chunk: usize,
}

/// A sequence in a slot of its own, of which the tokens from `from` on are to be predicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub(crate) slot: usize,
    pub(crate) ids: Vec<u32>,
    pub(crate) from: usize,
}

impl<'m, B: DecoderBackend> HeldCache<'m, B> {
    pub(crate) fn new(
        model: &'m CausalLm<B>,
        cache: KvCache<B>,
        held: Vec<Vec<u32>>,
        chunk: usize,
    ) -> Self {
        Self { model, cache, held, chunk }
    }

    /// A slot for each of the sequences, no two the same: the one that holds most of its beginning.
    pub(crate) fn slots_for(&self, sequences: &[&[u32]]) -> Vec<usize> {
        let mut free: Vec<usize> = (0..self.held.len()).collect();
        let slot = |ids: &&[u32]| {
            let best = free.iter().enumerate();
            let best = best.rev().max_by_key(|(_, slot)| common(&self.held[**slot], ids));
            best.map(|(at, _)| at).map_or(0, |at| free.remove(at))
        };
        sequences.iter().map(slot).collect()
    }

    /// The log-probability of each token `from..` of each sequence, natural logarithm.
    ///
    /// # Errors
    /// [`LmEvaluateError`] for a sequence without such a token, and ids that the model does not know.
    pub(crate) fn log_probs(
        &mut self,
        sequences: &[Sequence],
    ) -> Result<Vec<Vec<f32>>, LmEvaluateError> {
        let mut all = Vec::with_capacity(sequences.len());
        let model = self.model;
        self.run(sequences, |of_pass, hidden| {
            let targets: Vec<u32> =
                of_pass.iter().flat_map(|s| s.ids[s.from..].iter().copied()).collect();
            let log_probs = log_probs_of(model, hidden, &targets)?;
            let mut rest = log_probs.as_slice();
            for sequence in of_pass {
                let (own, others) = rest.split_at(sequence.ids.len() - sequence.from);
                finite(sequence, own)?;
                all.push(own.to_vec());
                rest = others;
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// The log-probabilities of `wanted` in the place of each sequence's last token.
    ///
    /// # Errors
    /// As [`Self::log_probs`].
    pub(crate) fn log_probs_of_last<const N: usize>(
        &mut self,
        sequences: &[Sequence],
        wanted: &[[u32; N]],
    ) -> Result<Vec<[f64; N]>, LmEvaluateError> {
        let mut all = Vec::with_capacity(sequences.len());
        let model = self.model;
        self.check(wanted.as_flattened())?;
        self.run(sequences, |of_pass, hidden| {
            let done = all.len();
            all.extend(log_probs_of_each(model, hidden, &wanted[done..done + of_pass.len()])?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Runs what is new of the sequences, and gives the hidden states before the tokens `from..`, some sequences at a time.
    fn run(
        &mut self,
        sequences: &[Sequence],
        mut take: impl FnMut(&[Sequence], Tensor<B, 2>) -> Result<(), LmEvaluateError>,
    ) -> Result<(), LmEvaluateError> {
        for sequence in sequences {
            let Sequence { ids, from, .. } = sequence;
            if *from == 0 || *from >= ids.len() {
                return Err(LmEvaluateError::NoTarget { tokens: ids.len(), from: *from });
            }
            self.check(ids)?;
        }
        let mut rest = sequences;
        while !rest.is_empty() {
            let count = self.first_pass(rest);
            let (of_pass, others) = rest.split_at(count);
            let hidden = self.pass(of_pass)?;
            take(of_pass, hidden)?;
            rest = others;
        }
        Ok(())
    }

    /// That the model knows the ids; those that are only predicted are none of its input.
    fn check(&self, ids: &[u32]) -> Result<(), LmEvaluateError> {
        let vocab_size = self.model.config().vocab_size;
        match ids.iter().position(|id| *id as usize >= vocab_size) {
            None => Ok(()),
            Some(index) => Err(BatchError::TokenId { id: ids[index], index, vocab_size }.into()),
        }
    }

    /// How many of the sequences run together.
    fn first_pass(&self, sequences: &[Sequence]) -> usize {
        if sequences.first().is_some_and(|first| !self.fits(first)) {
            return 1;
        }
        let mut room = self.chunk;
        let mut count = 0;
        for sequence in sequences.iter().take_while(|sequence| self.fits(sequence)) {
            let new = sequence.ids.len() - 1 - self.begin(sequence);
            if count > 0 && new > room {
                break;
            }
            room = room.saturating_sub(new);
            count += 1;
        }
        count
    }

    fn pass(&mut self, sequences: &[Sequence]) -> Result<Tensor<B, 2>, LmEvaluateError> {
        let (mut ids, mut spans, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let cached = sequences.iter().all(|sequence| self.fits(sequence));
        for sequence in sequences {
            let begin = if cached { self.begin(sequence) } else { 0 };
            let (start, last) = (ids.len(), sequence.ids.len() - 1);
            ids.extend_from_slice(&sequence.ids[begin..last]);
            let slot = if cached { sequence.slot } else { 0 };
            spans.push(Span { start, len: last - begin, position: begin, slot });
            places.extend((sequence.from - 1..last).map(|position| start + position - begin));
        }
        let hidden = self.model.hidden(&ids, &spans, cached.then_some(&mut self.cache))?;
        if cached {
            for Sequence { slot, ids, .. } in sequences {
                self.held[*slot].clear();
                self.held[*slot].extend_from_slice(&ids[..ids.len() - 1]);
            }
        }
        Ok(select(hidden, &places))
    }

    fn fits(&self, sequence: &Sequence) -> bool {
        sequence.ids.len() - 1 <= self.cache.capacity() && sequence.slot < self.held.len()
    }

    /// The first token that has to run: what is held is not run again, but for the token before the first target.
    fn begin(&self, sequence: &Sequence) -> usize {
        common(&self.held[sequence.slot], &sequence.ids).min(sequence.from - 1)
    }
}

fn common(held: &[u32], ids: &[u32]) -> usize {
    held.iter().zip(ids).take_while(|(a, b)| a == b).count()
}

fn finite(sequence: &Sequence, log_probs: &[f32]) -> Result<(), LmEvaluateError> {
    match log_probs.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let position = sequence.from + at;
            let (id, value) = (sequence.ids[position], log_probs[at]);
            Err(LmEvaluateError::NotFinite { id, position, value })
        }
    }
}
