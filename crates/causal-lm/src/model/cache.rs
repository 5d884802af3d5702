use crate::ops::DecoderBackend;
use crate::{BatchError, ModelConfig};
use cpu_kernels::decoder::{KvDtype, Span};

/// Keys and values of a number of sequences, layer by layer, allocated at once.
///
/// A slot holds one sequence. A span at position 0 begins a new one there; a span further on continues it, and what was
/// behind that position is forgotten.
#[derive(Debug)]
pub struct KvCache<B: DecoderBackend> {
    layers: Vec<B::KvLayer>,
    lens: Vec<usize>,
    capacity: usize,
}

impl<B: DecoderBackend> KvCache<B> {
    pub(super) fn new(
        config: &ModelConfig,
        slots: usize,
        capacity: usize,
        dtype: KvDtype,
        device: &B::Device,
    ) -> Self {
        let layer =
            |layer| B::new_kv_layer(slots, capacity, &config.attention_shape(layer), dtype, device);
        let layers = config.layers.iter().copied().map(layer).collect();
        Self { layers, lens: vec![0; slots], capacity }
    }

    /// Number of sequences.
    pub fn slots(&self) -> usize {
        self.lens.len()
    }

    /// Tokens that a sequence may have.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Tokens of the sequence in `slot`; 0 where there is no such slot.
    pub fn len(&self, slot: usize) -> usize {
        self.lens.get(slot).copied().unwrap_or(0)
    }

    /// Whether no slot has tokens.
    pub fn is_empty(&self) -> bool {
        self.lens.iter().all(|len| *len == 0)
    }

    /// Makes the first `len` tokens of slot `from` the sequence of slot `to`: the shared beginning of several answers.
    ///
    /// # Errors
    /// [`BatchError::Slot`] where there is no such slot, [`BatchError::Gap`] where `from` has fewer tokens.
    pub fn copy_slot(&mut self, from: usize, to: usize, len: usize) -> Result<(), BatchError> {
        let slots = self.slots();
        let known =
            |slot| if slot < slots { Ok(slot) } else { Err(BatchError::Slot { slot, slots }) };
        let (from, to) = (known(from)?, known(to)?);
        if len > self.lens[from] {
            return Err(BatchError::Gap { slot: from, position: len, len: self.lens[from] });
        }
        if from != to {
            self.layers.iter_mut().for_each(|layer| B::copy_kv_slot(layer, from, to, len));
        }
        self.lens[to] = len;
        Ok(())
    }

    /// The layers, one each of the model's.
    pub(super) fn layers_mut(&mut self) -> &mut [B::KvLayer] {
        &mut self.layers
    }

    /// That the spans can be appended.
    pub(super) fn check(&self, spans: &[Span], layers: usize) -> Result<(), BatchError> {
        if self.layers.len() != layers {
            return Err(BatchError::CacheLayers { cache: self.layers.len(), model: layers });
        }
        let (slots, capacity) = (self.slots(), self.capacity);
        let mut seen = vec![false; slots];
        for &Span { slot, position, len, .. } in spans {
            let Some(seen) = seen.get_mut(slot) else {
                return Err(BatchError::Slot { slot, slots });
            };
            if std::mem::replace(seen, true) {
                return Err(BatchError::SlotTwice { slot });
            }
            if position > self.lens[slot] {
                return Err(BatchError::Gap { slot, position, len: self.lens[slot] });
            }
            if len > capacity - position {
                return Err(BatchError::Capacity {
                    slot,
                    len: position.saturating_add(len),
                    capacity,
                });
            }
        }
        Ok(())
    }

    /// Notes that the spans have been appended.
    pub(super) fn appended(&mut self, spans: &[Span]) {
        for span in spans {
            self.lens[span.slot] = span.position + span.len;
        }
    }
}
