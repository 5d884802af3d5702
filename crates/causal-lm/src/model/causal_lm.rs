use burn::tensor::Tensor;
use cpu_kernels::ComputeDtype;
use cpu_kernels::decoder::{KvDtype, Span};
use lora_linear::Frozen;

use super::batch::{check_batch, check_whole};
use super::{BlockInputs, DecoderBlock, KvCache, RmsNorm};
use crate::ops::DecoderBackend;
use crate::rope::{RopeTable, Rotation};
use crate::{BatchError, ModelConfig};

/// A decoder language model on a device.
///
/// It speaks token ids, in flat batches without padding: a [`Span`] says whose tokens are where.
#[derive(Debug)]
pub struct CausalLm<B: DecoderBackend> {
    parts: Parts<B>,
    ropes: Vec<RopeTable>,
    device: B::Device,
}

/// What a model is put together from.
#[derive(Debug)]
pub(crate) struct Parts<B: DecoderBackend> {
    pub(crate) config: ModelConfig,
    /// `[vocab, hidden]`.
    pub(crate) embedding: Frozen<B>,
    /// What embeddings are multiplied by.
    pub(crate) embedding_scale: Option<f32>,
    pub(crate) blocks: Vec<DecoderBlock<B>>,
    pub(crate) norm: RmsNorm<B>,
    /// `[vocab, hidden]`; the embedding itself where they are tied.
    pub(crate) head: Frozen<B>,
    pub(crate) compute: ComputeDtype,
}

impl<B: DecoderBackend> CausalLm<B> {
    pub(crate) fn new(parts: Parts<B>, device: &B::Device) -> Self {
        let ropes = parts.config.ropes.iter().map(RopeTable::new).collect();
        Self { parts, ropes, device: device.clone() }
    }

    /// What the model is.
    pub fn config(&self) -> &ModelConfig {
        &self.parts.config
    }

    /// Where it is.
    pub fn device(&self) -> &B::Device {
        &self.device
    }

    /// The precision of products.
    pub fn compute(&self) -> ComputeDtype {
        self.parts.compute
    }

    /// The layers, from the embedding up.
    pub fn blocks(&self) -> &[DecoderBlock<B>] {
        &self.parts.blocks
    }

    /// The layers, for what changes adapters.
    pub fn blocks_mut(&mut self) -> &mut [DecoderBlock<B>] {
        &mut self.parts.blocks
    }

    /// Final hidden states behind the last norm, `[tokens, hidden]`, of a flat batch.
    ///
    /// Without a cache spans are whole sequences. With one, they begin or continue the sequences of their slots, and
    /// the cache has their tokens afterwards.
    ///
    /// # Errors
    /// [`BatchError`] where ids or spans fit neither one another nor the model and cache; the cache is as before then.
    pub fn hidden(
        &self,
        ids: &[u32],
        spans: &[Span],
        mut cache: Option<&mut KvCache<B>>,
    ) -> Result<Tensor<B, 2>, BatchError> {
        check_batch(ids, spans, self.config().vocab_size)?;
        match &cache {
            Some(cache) => cache.check(spans, self.blocks().len())?,
            None => check_whole(spans)?,
        }
        let rotations = self.rotations(spans);
        let inputs = BlockInputs { rotations: &rotations, spans, compute: self.parts.compute };
        let mut x = self.embed_checked(ids);
        for (layer, block) in self.blocks().iter().enumerate() {
            let cache = cache.as_mut().map(|cache| &mut cache.layers_mut()[layer]);
            x = block.forward(x, &inputs, cache);
        }
        if let Some(cache) = cache {
            cache.appended(spans);
        }
        Ok(self.final_norm(x))
    }

    /// The embeddings of tokens, `[tokens, hidden]`: what the first block is given.
    ///
    /// # Errors
    /// [`BatchError::TokenId`] for an id outside of the vocabulary.
    pub fn embed(&self, ids: &[u32]) -> Result<Tensor<B, 2>, BatchError> {
        let vocab_size = self.config().vocab_size;
        match ids.iter().position(|id| *id as usize >= vocab_size) {
            Some(index) => Err(BatchError::TokenId { id: ids[index], index, vocab_size }),
            None => Ok(self.embed_checked(ids)),
        }
    }

    /// Cosines and sines of a batch, for each rope of the model: what every block is given.
    pub fn rotations(&self, spans: &[Span]) -> Vec<Rotation<B>> {
        self.ropes.iter().map(|rope| rope.rotation(spans, &self.device)).collect()
    }

    /// The norm behind the last block.
    pub fn final_norm(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.parts.norm.forward(x)
    }

    /// Scores of all tokens to come next: `[rows, hidden]` to `[rows, vocab]`.
    pub fn logits(&self, hidden: Tensor<B, 2>) -> Tensor<B, 2> {
        let logits = self.parts.head.product(hidden, self.parts.compute);
        match self.config().logit_softcap {
            None => logits,
            Some(cap) => logits.div_scalar(cap).tanh().mul_scalar(cap),
        }
    }

    /// The head, `[vocab, hidden]`: for losses that do not hold all logits.
    pub fn head(&self) -> &Frozen<B> {
        &self.parts.head
    }

    /// An empty cache for `slots` sequences of up to `capacity` tokens.
    pub fn new_cache(&self, slots: usize, capacity: usize, dtype: KvDtype) -> KvCache<B> {
        KvCache::new(self.config(), slots, capacity, dtype, &self.device)
    }

    fn embed_checked(&self, ids: &[u32]) -> Tensor<B, 2> {
        let rows = self.parts.embedding.select(ids, &self.device);
        match self.parts.embedding_scale {
            None => rows,
            Some(scale) => rows.mul_scalar(scale),
        }
    }
}
