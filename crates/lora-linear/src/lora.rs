use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// A low-rank correction of a frozen projection: `scaling · (x · Aᵀ) · Bᵀ`.
///
/// Source: Hu et al. (2021), LoRA; with a magnitude, Liu et al. (2024), DoRA.
#[derive(Clone, Debug)]
pub struct Lora<B: Backend> {
    /// `[rank, inputs]`.
    pub a: Tensor<B, 2>,
    /// `[outputs, rank]`.
    pub b: Tensor<B, 2>,
    /// What the correction is multiplied by.
    pub scaling: f64,
    /// DoRA's magnitude of each output, `[outputs]`; `None` without DoRA.
    pub magnitude: Option<Tensor<B, 1>>,
}

/// How `alpha` and `rank` make the factor of the correction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoraScaling {
    /// `alpha / rank`.
    #[default]
    Standard,
    /// `alpha / √rank`: Kalajdzievski (2023), rank-stabilized LoRA.
    RankStabilized,
}

impl LoraScaling {
    /// The factor of the correction.
    pub fn factor(self, alpha: f64, rank: usize) -> f64 {
        match self {
            Self::Standard => alpha / rank as f64,
            Self::RankStabilized => alpha / (rank as f64).sqrt(),
        }
    }
}

/// Dropout on the adapter's input: a mask of `1 / (1 - p)` and 0, made by the caller.
///
/// The caller makes it so that a block that is computed again sees the same mask.
#[derive(Clone, Debug)]
pub struct Dropout<B: Backend> {
    /// `[m, inputs]`.
    pub mask: Tensor<B, 2>,
}

impl<B: Backend> Lora<B> {
    /// Number of rows of `A`.
    pub fn rank(&self) -> usize {
        self.a.dims()[0]
    }

    /// `(x · Aᵀ) · Bᵀ` without the factor: `[m, inputs]` to `[m, outputs]`.
    pub(crate) fn low_rank(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x.matmul(self.a.clone().transpose()).matmul(self.b.clone().transpose())
    }
}
