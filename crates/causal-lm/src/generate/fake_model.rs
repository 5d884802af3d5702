use cpu_kernels::decoder::Span;

use super::{AnyError, StepModel};

/// A model whose logits are a hash of all tokens up to there, read from its cache: any mistake in the cache shows.
pub(super) struct FakeModel {
    pub(super) vocabulary: usize,
    pub(super) capacity: usize,
    pub(super) slots: Vec<Vec<u32>>,
    /// Tokens of each batch that was run.
    pub(super) batches: Vec<usize>,
    /// A sequence whose logits are spoilt by this value.
    pub(super) spoil: Option<(Vec<u32>, f32)>,
    pub(super) fail: bool,
    /// Whether it chooses tokens itself where it may, and how often it did.
    pub(super) picks: Option<usize>,
}

impl FakeModel {
    pub(super) fn new(slots: usize, capacity: usize) -> Self {
        let slots = vec![Vec::new(); slots];
        let (batches, spoil, picks) = (Vec::new(), None, None);
        Self { vocabulary: 23, capacity, slots, batches, spoil, fail: false, picks }
    }

    /// The logits after `ids`.
    pub(super) fn logits(&self, ids: &[u32]) -> Vec<f32> {
        let mut hash = 7u64;
        for &id in ids {
            hash = (hash ^ u64::from(id)).wrapping_mul(0x0100_0000_01B3).rotate_left(17);
        }
        let logit = |id: u64| ((hash ^ id).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f32;
        let mut logits: Vec<f32> =
            (0..self.vocabulary as u64).map(|id| logit(id) / 4e6 - 1.0).collect();
        if let Some((at, value)) = &self.spoil
            && at == ids
        {
            logits[3] = *value;
        }
        logits
    }
}

impl StepModel for FakeModel {
    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn slots(&self) -> usize {
        self.slots.len()
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn step(
        &mut self,
        ids: &[u32],
        spans: &[Span],
        wanted: &[usize],
        logits: &mut Vec<f32>,
    ) -> Result<(), AnyError> {
        if self.fail {
            return Err("out of luck".into());
        }
        self.batches.push(ids.len());
        logits.clear();
        assert_eq!(spans.iter().map(|span| span.len).sum::<usize>(), ids.len());
        for (i, span) in spans.iter().enumerate() {
            assert!(span.len > 0 && span.position + span.len <= self.capacity);
            assert!(spans[..i].iter().all(|other| other.slot != span.slot));
            assert_eq!(span.start, spans[..i].iter().map(|span| span.len).sum::<usize>());
            let slot = &mut self.slots[span.slot];
            assert!(span.position <= slot.len(), "a gap in the cache");
            slot.truncate(span.position);
            slot.extend_from_slice(&ids[span.start..span.start + span.len]);
        }
        for &at in wanted {
            let span = spans.iter().find(|span| (span.start..span.start + span.len).contains(&at));
            let span = span.expect("a wanted token is in a span");
            let len = span.position + at - span.start + 1;
            logits.extend(self.logits(&self.slots[span.slot][..len]));
        }
        Ok(())
    }

    fn step_likeliest(
        &mut self,
        ids: &[u32],
        spans: &[Span],
        wanted: &[usize],
    ) -> Result<Option<Vec<(u32, f32)>>, AnyError> {
        let Some(picks) = &mut self.picks else { return Ok(None) };
        *picks += 1;
        let mut logits = Vec::new();
        self.step(ids, spans, wanted, &mut logits)?;
        let likeliest = logits.chunks(self.vocabulary).map(|logits| {
            let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let id = logits.iter().position(|&logit| logit == top).unwrap_or(0);
            let sum: f64 = logits.iter().map(|&logit| f64::from(logit - top).exp()).sum();
            (id as u32, -sum.ln() as f32)
        });
        Ok(Some(likeliest.collect()))
    }

    fn copy_slot(&mut self, from: usize, to: usize, len: usize) -> Result<(), AnyError> {
        assert_ne!(from, to);
        self.slots[to] = self.slots[from][..len].to_vec();
        Ok(())
    }
}
