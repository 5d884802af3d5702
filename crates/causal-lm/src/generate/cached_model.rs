use burn::tensor::{Int, Tensor, TensorData};
use cpu_kernels::decoder::{KvDtype, Span};

use super::{AnyError, StepModel};
use crate::ops::{self, DecoderBackend, RowLosses};
use crate::{CausalLm, KvCache};

/// A model with a cache of its own.
pub struct CachedModel<'m, B: DecoderBackend> {
    model: &'m CausalLm<B>,
    cache: KvCache<B>,
}

impl<'m, B: DecoderBackend> CachedModel<'m, B> {
    /// Takes a cache for `slots` sequences of up to `capacity` tokens.
    pub fn new(model: &'m CausalLm<B>, slots: usize, capacity: usize, dtype: KvDtype) -> Self {
        Self::with_cache(model, model.new_cache(slots, capacity, dtype))
    }

    /// Takes a cache of the model's; what its slots hold is forgotten as they are given out.
    pub fn with_cache(model: &'m CausalLm<B>, cache: KvCache<B>) -> Self {
        Self { model, cache }
    }

    /// The cache, with what the last rows left in it.
    pub fn into_cache(self) -> KvCache<B> {
        self.cache
    }
}

impl<B: DecoderBackend> StepModel for CachedModel<'_, B> {
    fn vocabulary(&self) -> usize {
        self.model.config().vocab_size
    }

    fn slots(&self) -> usize {
        self.cache.slots()
    }

    fn capacity(&self) -> usize {
        self.cache.capacity()
    }

    fn step(
        &mut self,
        ids: &[u32],
        spans: &[Span],
        wanted: &[usize],
        logits: &mut Vec<f32>,
    ) -> Result<(), AnyError> {
        let hidden = self.model.hidden(ids, spans, Some(&mut self.cache))?;
        if wanted.is_empty() {
            logits.clear();
            return Ok(());
        }
        let last = rows(hidden, wanted);
        *logits = floats(self.model.logits(last))?;
        Ok(())
    }

    fn step_likeliest(
        &mut self,
        ids: &[u32],
        spans: &[Span],
        wanted: &[usize],
    ) -> Result<Option<Vec<(u32, f32)>>, AnyError> {
        if !B::picks_tokens() {
            return Ok(None);
        }
        let hidden = self.model.hidden(ids, spans, Some(&mut self.cache))?;
        if wanted.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let logits = self.model.logits(rows(hidden, wanted));
        let (losses, ids) = RowLosses::read(vec![ops::likeliest(logits)])?;
        Ok(Some(ids.into_iter().zip(losses).map(|(id, loss)| (id, -loss)).collect()))
    }

    fn copy_slot(&mut self, from: usize, to: usize, len: usize) -> Result<(), AnyError> {
        Ok(self.cache.copy_slot(from, to, len)?)
    }
}

/// Rows `wanted`, which rise.
fn rows<B: DecoderBackend>(hidden: Tensor<B, 2>, wanted: &[usize]) -> Tensor<B, 2> {
    let [tokens, _] = hidden.dims();
    match *wanted {
        _ if wanted.len() == tokens => hidden,
        [row] => hidden.narrow(0, row, 1),
        _ => {
            let indices: Vec<i64> = wanted.iter().map(|&row| row as i64).collect();
            let data = TensorData::new(indices, [wanted.len()]);
            let indices = Tensor::<B, 1, Int>::from_data(data, &hidden.device());
            hidden.select(0, indices)
        }
    }
}

/// The values of a tensor, in the memory of the host.
pub(super) fn floats<B: DecoderBackend>(tensor: Tensor<B, 2>) -> Result<Vec<f32>, AnyError> {
    let data = tensor.into_data().convert::<f32>();
    data.into_vec().map_err(|error| format!("values of a tensor are not f32: {error:?}").into())
}
