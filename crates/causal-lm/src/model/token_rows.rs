use burn::tensor::{Int, Tensor, TensorData};

use crate::ops::DecoderBackend;

/// Rows of a few tokens that take the place of a vocabulary's own: what an adapter trains of new tokens.
#[derive(Clone, Debug)]
pub struct TokenRows<B: DecoderBackend> {
    ids: Vec<u32>,
    /// `[ids.len(), hidden]`.
    pub rows: Tensor<B, 2>,
}

impl<B: DecoderBackend> TokenRows<B> {
    /// The rows of `ids`, which rise.
    pub(crate) fn new(ids: Vec<u32>, rows: Tensor<B, 2>) -> Self {
        debug_assert!(ids.is_sorted_by(|a, b| a < b), "ids rise");
        Self { ids, rows }
    }

    /// The tokens, rising.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Places in `batch` that hold one of the tokens, and which row each takes.
    pub fn places(&self, batch: &[u32]) -> Vec<(usize, usize)> {
        let row = |id: &u32| self.ids.binary_search(id).ok();
        let places = batch.iter().enumerate();
        places.filter_map(|(place, id)| Some((place, row(id)?))).collect()
    }

    /// The embeddings of a batch, `[tokens, hidden]`, with the tokens' own rows.
    pub(super) fn replace_embeddings(&self, x: Tensor<B, 2>, batch: &[u32]) -> Tensor<B, 2> {
        let hidden = x.dims()[1];
        self.places(batch).into_iter().fold(x, |x, (place, row)| {
            let own = self.rows.clone().slice([row..row + 1, 0..hidden]);
            x.slice_assign([place..place + 1, 0..hidden], own)
        })
    }

    /// Logits, `[rows, vocab]`, with those of the tokens' own rows.
    pub(super) fn replace_logits(
        &self,
        logits: Tensor<B, 2>,
        hidden: Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        let rows = logits.dims()[0];
        let own = hidden.matmul(self.rows.clone().transpose());
        self.runs().into_iter().fold(logits, |logits, (at, first, len)| {
            let columns = own.clone().narrow(1, at, len);
            logits.slice_assign([0..rows, first..first + len], columns)
        })
    }

    /// The columns of the tokens, `[rows, ids.len()]`.
    pub fn columns(&self, logits: Tensor<B, 2>) -> Tensor<B, 2> {
        let ids: Vec<i32> = self.ids.iter().map(|&id| id as i32).collect();
        let count = ids.len();
        let ids = Tensor::<B, 1, Int>::from_data(TensorData::new(ids, [count]), &logits.device());
        logits.select(1, ids)
    }

    /// `logits` with zeros in the columns of the tokens.
    pub fn without_columns(&self, logits: Tensor<B, 2>) -> Tensor<B, 2> {
        let (rows, device) = (logits.dims()[0], logits.device());
        self.runs().into_iter().fold(logits, |logits, (_, first, len)| {
            let zeros = Tensor::zeros([rows, len], &device);
            logits.slice_assign([0..rows, first..first + len], zeros)
        })
    }

    /// Runs of neighbouring ids: place among the ids, first id, length.
    fn runs(&self) -> Vec<(usize, usize, usize)> {
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        for (at, &id) in self.ids.iter().enumerate() {
            match runs.last_mut() {
                Some((_, first, len)) if *first + *len == id as usize => *len += 1,
                _ => runs.push((at, id as usize, 1)),
            }
        }
        runs
    }
}
