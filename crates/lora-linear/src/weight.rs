use burn::tensor::Tensor;
use burn::tensor::{Int, TensorData};

use crate::{Frozen, FrozenBackend};
use cpu_kernels::ComputeDtype;

/// A weight, `[rows, cols]`: frozen, or trained whole.
#[derive(Clone, Debug)]
pub enum Weight<B: FrozenBackend> {
    /// Packed, and never changed.
    Frozen(Frozen<B>),
    /// Dense in f32, a tensor like any other.
    Trained(Tensor<B, 2>),
}

impl<B: FrozenBackend> Weight<B> {
    /// Number of outputs.
    pub fn rows(&self) -> usize {
        match self {
            Self::Frozen(frozen) => frozen.rows(),
            Self::Trained(weight) => weight.dims()[0],
        }
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        match self {
            Self::Frozen(frozen) => frozen.cols(),
            Self::Trained(weight) => weight.dims()[1],
        }
    }

    /// The frozen weight; `None` where it is trained.
    pub fn frozen(&self) -> Option<&Frozen<B>> {
        match self {
            Self::Frozen(frozen) => Some(frozen),
            Self::Trained(_) => None,
        }
    }

    /// `x · Wᵀ`, `[m, cols]` to `[m, rows]`.
    pub fn product(&self, x: Tensor<B, 2>, compute: ComputeDtype) -> Tensor<B, 2> {
        match self {
            Self::Frozen(frozen) => frozen.product(x, compute),
            Self::Trained(weight) => {
                let weight = weight.clone().cast(x.dtype());
                x.matmul(weight.transpose())
            }
        }
    }

    /// `dy · W`, `[m, rows]` to `[m, cols]`.
    pub fn product_transposed(&self, dy: Tensor<B, 2>, compute: ComputeDtype) -> Tensor<B, 2> {
        match self {
            Self::Frozen(frozen) => frozen.product_transposed(dy, compute),
            Self::Trained(weight) => {
                let weight = weight.clone().cast(dy.dtype());
                dy.matmul(weight)
            }
        }
    }

    /// Rows `ids`, `[ids.len(), cols]`: the look-up of embeddings.
    ///
    /// # Panics
    /// Where an id is not below [`rows`](Self::rows).
    pub fn select(&self, ids: &[u32], device: &B::Device) -> Tensor<B, 2> {
        match self {
            Self::Frozen(frozen) => frozen.select(ids, device),
            Self::Trained(weight) => {
                let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
                let count = ids.len();
                let ids = Tensor::<B, 1, Int>::from_data(TensorData::new(ids, [count]), device);
                weight.clone().select(0, ids)
            }
        }
    }
}
