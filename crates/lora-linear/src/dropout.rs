use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cpu_kernels::low_rank::dropout_mask;

/// Dropout on an adapter's input.
///
/// Its mask follows from the seed, the row and the column: nothing is kept, and a block that is computed again sees the
/// same one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// How many of the values are dropped, in 0 to 1.
    pub probability: f32,
    /// Decides which.
    pub seed: u64,
}

impl Dropout {
    /// The dropout of one of several inputs that share a seed.
    pub fn part(self, index: u64) -> Self {
        // An odd factor: different parts have different seeds.
        let seed = self.seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self { seed, ..self }
    }

    /// What the values of `[m, inputs]` are multiplied by: `1 / (1 - probability)` or 0.
    pub fn mask<B: Backend>(self, [m, inputs]: [usize; 2], device: &B::Device) -> Tensor<B, 2> {
        let mut values = vec![0.0; m * inputs];
        dropout_mask(self.seed, self.probability, m, inputs, &mut values);
        Tensor::from_data(TensorData::new(values, [m, inputs]), device)
    }
}
