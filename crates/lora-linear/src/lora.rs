use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{Dropout, FrozenBackend, LowRank, Weight, dora};

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
    /// The magnitude of each output, with DoRA.
    pub dora: Option<Dora<B>>,
}

/// DoRA's part of an adapter.
#[derive(Clone, Debug)]
pub struct Dora<B: Backend> {
    /// `[outputs]`.
    pub magnitude: Tensor<B, 1>,
    /// The norms of the rows of `W + scaling · B · A`, `[outputs]`, once known to stay: see [`Lora::fix_norms`].
    pub(crate) fixed_norms: Option<Tensor<B, 1>>,
}

/// How to make a new adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoraConfig {
    /// Rank of the correction.
    pub rank: usize,
    /// `alpha`, from which the factor of the correction follows.
    pub alpha: f64,
    /// How it follows.
    pub scaling: LoraScaling,
    /// Whether the adapter has a magnitude of its own.
    pub dora: bool,
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

impl LoraConfig {
    /// A new adapter of `base` that changes nothing yet: `A` uniform in ±1/√inputs, `B` zero, as PEFT begins.
    pub fn init<B: FrozenBackend>(
        &self,
        base: &Weight<B>,
        seed: u64,
        device: &B::Device,
    ) -> Lora<B> {
        let (rank, inputs, outputs) = (self.rank, base.cols(), base.rows());
        let bound = 1.0 / (inputs as f32).sqrt();
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let a: Vec<f32> =
            (0..rank * inputs).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)).collect();
        let lora = Lora {
            a: Tensor::from_data(TensorData::new(a, [rank, inputs]), device),
            b: Tensor::zeros([outputs, rank], device),
            scaling: self.scaling.factor(self.alpha, rank),
            dora: None,
        };
        match self.dora {
            false => lora,
            true => {
                let magnitude = dora::row_norms(base, &lora);
                lora.with_magnitude(magnitude)
            }
        }
    }
}

impl<B: Backend> Lora<B> {
    /// The adapter with a magnitude for each output, `[outputs]`: DoRA.
    pub fn with_magnitude(self, magnitude: Tensor<B, 1>) -> Self {
        let dora = Some(Dora { magnitude, fixed_norms: None });
        Self { dora, ..self }
    }

    /// Number of rows of `A`.
    pub fn rank(&self) -> usize {
        self.a.dims()[0]
    }

    /// `A` and `B` as backends take them.
    pub(crate) fn low_rank(&self, dropout: Option<Dropout>) -> LowRank<B> {
        let primitive = |x: &Tensor<B, 2>| x.clone().into_primitive().tensor();
        LowRank { a: primitive(&self.a), b: primitive(&self.b), scaling: self.scaling, dropout }
    }

    /// `scaling · (x · Aᵀ) · Bᵀ`: `[m, inputs]` to `[m, outputs]`.
    pub(crate) fn correction(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let factor = |tensor: &Tensor<B, 2>| tensor.clone().cast(x.dtype()).transpose();
        let (a, b) = (factor(&self.a), factor(&self.b));
        x.matmul(a).matmul(b).mul_scalar(self.scaling)
    }
}

impl<B: Backend> Lora<B> {
    /// Takes DoRA's norms each time again: for an adapter that changes.
    pub fn release_norms(&mut self) {
        if let Some(dora) = &mut self.dora {
            dora.fixed_norms = None;
        }
    }
}

impl<B: FrozenBackend> Lora<B> {
    /// Takes DoRA's norms once, for an adapter that will not change any more: each would cost a pass over the base.
    pub fn fix_norms(&mut self, base: &Weight<B>) {
        if self.dora.is_none() {
            return;
        }
        let norms = dora::row_norms(base, self);
        if let Some(dora) = &mut self.dora {
            dora.fixed_norms = Some(norms);
        }
    }
}
