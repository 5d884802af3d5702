use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Dropout on an adapter's input: a mask of `1 / (1 - p)` and 0.
///
/// The mask is a value, so that a block that is computed again sees the same one.
#[derive(Clone, Debug)]
pub struct Dropout<B: Backend> {
    /// `[m, inputs]`.
    pub mask: Tensor<B, 2>,
}

impl<B: Backend> Dropout<B> {
    /// A mask that drops each of `[m, inputs]` values with `probability`, in 0 to 1; the seed decides which.
    pub fn new(probability: f64, [m, inputs]: [usize; 2], seed: u64, device: &B::Device) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let kept = (1.0 / (1.0 - probability)) as f32;
        let draw = |_| match rng.random::<f64>() < probability {
            true => 0.0,
            false => kept,
        };
        let values: Vec<f32> = (0..m * inputs).map(draw).collect();
        Self { mask: Tensor::from_data(TensorData::new(values, [m, inputs]), device) }
    }
}
