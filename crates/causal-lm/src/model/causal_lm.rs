use burn::tensor::{DType, Tensor};
use cpu_kernels::ComputeDtype;
use cpu_kernels::decoder::{KvDtype, Span};
use lora_linear::Weight;

use super::batch::{check_batch, check_whole};
use super::{BlockInputs, DecoderBlock, KvCache, ParameterMut, RmsNorm, TokenRows};
use crate::ops::{self, DecoderBackend};
use crate::rope::{RopeTable, Rotation};
use crate::train::Outer;
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
    pub(crate) embedding: Weight<B>,
    /// What embeddings are multiplied by.
    pub(crate) embedding_scale: Option<f32>,
    /// Rows that take the place of the embedding's, and of the head's where it is tied.
    pub(crate) token_rows: Option<TokenRows<B>>,
    pub(crate) blocks: Vec<DecoderBlock<B>>,
    pub(crate) norm: RmsNorm<B>,
    /// `[vocab, hidden]`; the embedding itself where they are tied.
    pub(crate) head: Weight<B>,
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

    /// The type of activations between the blocks; f32 where weights are trained whole.
    pub fn activation_dtype(&self) -> DType {
        match self.parts.embedding {
            Weight::Trained(_) => DType::F32,
            Weight::Frozen(_) => B::activation_dtype(self.parts.compute, &self.device),
        }
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
        let inputs = BlockInputs {
            rotations: &rotations,
            spans,
            compute: self.parts.compute,
            dropout: None,
        };
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

    /// Scores of all tokens to come next: `[rows, hidden]` to `[rows, vocab]`, in f32.
    pub fn logits(&self, hidden: Tensor<B, 2>) -> Tensor<B, 2> {
        let hidden = hidden.cast(DType::F32);
        let mut logits = self.parts.head.product(hidden.clone(), self.parts.compute);
        if let Some(rows) = self.head_rows() {
            logits = rows.replace_logits(logits, hidden);
        }
        match self.config().logit_softcap {
            None => logits,
            Some(cap) => logits.div_scalar(cap).tanh().mul_scalar(cap),
        }
    }

    /// The head, `[vocab, hidden]`: for losses that do not hold all logits.
    pub fn head(&self) -> &Weight<B> {
        &self.parts.head
    }

    /// The embedding, `[vocab, hidden]`.
    pub fn embedding(&self) -> &Weight<B> {
        &self.parts.embedding
    }

    /// What embeddings are multiplied by.
    pub fn embedding_scale(&self) -> Option<f32> {
        self.parts.embedding_scale
    }

    /// Rows of tokens that are trained alone, in the embedding.
    pub fn token_rows(&self) -> Option<&TokenRows<B>> {
        self.parts.token_rows.as_ref()
    }

    /// The same rows in the head, where it is tied to the embedding.
    pub fn head_rows(&self) -> Option<&TokenRows<B>> {
        self.token_rows().filter(|_| self.config().tied_head)
    }

    /// Gradients of [`final_norm`](Self::final_norm): of `x`, and of the weight where it is wanted.
    pub(crate) fn final_norm_backward(
        &self,
        x: Tensor<B, 2>,
        dy: Tensor<B, 2>,
        of_weight: bool,
    ) -> (Tensor<B, 2>, Option<Tensor<B, 1>>) {
        let RmsNorm { weight, eps } = &self.parts.norm;
        ops::rms_norm_backward(x, weight.clone(), *eps, dy, of_weight)
    }

    /// That ids and spans are whole sequences of the vocabulary.
    pub(crate) fn check_whole(&self, ids: &[u32], spans: &[Span]) -> Result<(), BatchError> {
        check_batch(ids, spans, self.config().vocab_size)?;
        check_whole(spans)
    }

    pub(crate) fn set_token_rows(&mut self, rows: Option<TokenRows<B>>) {
        self.parts.token_rows = rows;
    }

    /// Changes embedding and head; a tied head stays tied.
    pub(crate) fn train_vocabulary(&mut self, trained: impl Fn(&Weight<B>) -> Weight<B>) {
        self.parts.token_rows = None;
        self.parts.embedding = trained(&self.parts.embedding);
        if !self.parts.config.tied_head {
            self.parts.head = trained(&self.parts.head);
        }
        self.tie_head();
    }

    /// Makes a tied head the embedding as it is now.
    pub(crate) fn tie_head(&mut self) {
        if self.parts.config.tied_head {
            self.parts.head = self.parts.embedding.clone();
        }
    }

    /// What training changes outside of the blocks.
    pub(crate) fn outer_parameters_mut(&mut self) -> Vec<(Outer, ParameterMut<'_, B>)> {
        let Parts { embedding, token_rows, norm, head, config, .. } = &mut self.parts;
        let mut all = Vec::new();
        if let Some(rows) = token_rows {
            all.push((Outer::Tokens, ParameterMut::Matrix(&mut rows.rows)));
        }
        if let Weight::Trained(weight) = embedding {
            all.push((Outer::Embedding, ParameterMut::Matrix(weight)));
            all.push((Outer::Norm, ParameterMut::Vector(&mut norm.weight)));
            match head {
                Weight::Trained(weight) if !config.tied_head => {
                    all.push((Outer::Head, ParameterMut::Matrix(weight)));
                }
                _ => {}
            }
        }
        all
    }

    /// An empty cache for `slots` sequences of up to `capacity` tokens.
    pub fn new_cache(&self, slots: usize, capacity: usize, dtype: KvDtype) -> KvCache<B> {
        KvCache::new(self.config(), slots, capacity, dtype, &self.device)
    }

    fn embed_checked(&self, ids: &[u32]) -> Tensor<B, 2> {
        let mut rows = self.parts.embedding.select(ids, &self.device);
        if let Some(token_rows) = &self.parts.token_rows {
            rows = token_rows.replace_embeddings(rows, ids);
        }
        if let Some(scale) = self.parts.embedding_scale {
            rows = rows.mul_scalar(scale);
        }
        rows.cast(self.activation_dtype())
    }
}
