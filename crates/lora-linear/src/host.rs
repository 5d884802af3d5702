use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

/// A backend whose tensors lie in the memory of the host, so that a kernel over slices can work on them.
pub trait HostTensors: Backend {
    /// Calls `read` with the values of `tensor` in row-major order; copies only what is not contiguous.
    ///
    /// # Panics
    /// Where the tensor is not of f32: the CPU backends keep activations in f32.
    fn read_floats<R>(tensor: FloatTensor<Self>, read: impl FnOnce(&[f32]) -> R) -> R;

    /// A tensor of the values, without a copy. `values.len()` is `rows * cols`.
    fn from_floats(values: Vec<f32>, rows: usize, cols: usize) -> FloatTensor<Self>;
}

/// What [`FrozenBackend`](crate::FrozenBackend) asks for, on any backend in host memory.
pub(crate) mod kernels {
    use std::sync::Arc;

    use burn::tensor::TensorMetadata;
    use burn::tensor::ops::FloatTensor;
    use cpu_kernels::{ComputeDtype, FrozenWeight, Output, product_transposed, products};

    use super::HostTensors;

    pub(crate) fn frozen_products<B: HostTensors>(
        x: FloatTensor<B>,
        weights: &[&Arc<FrozenWeight>],
        compute: ComputeDtype,
    ) -> Vec<FloatTensor<B>> {
        let m = x.shape()[0];
        let mut values: Vec<Vec<f32>> =
            weights.iter().map(|weight| vec![0.0; m * weight.rows()]).collect();
        B::read_floats(x, |x| {
            let mut outputs: Vec<Output<'_>> = weights
                .iter()
                .zip(&mut values)
                .map(|(weight, out)| Output { weight, out })
                .collect();
            products(x, m, compute, &mut outputs);
        });
        let shaped = weights.iter().zip(values);
        shaped.map(|(weight, values)| B::from_floats(values, m, weight.rows())).collect()
    }

    pub(crate) fn frozen_product_transposed<B: HostTensors>(
        dy: FloatTensor<B>,
        weight: &FrozenWeight,
        compute: ComputeDtype,
    ) -> FloatTensor<B> {
        let m = dy.shape()[0];
        let mut values = vec![0.0; m * weight.cols()];
        B::read_floats(dy, |dy| product_transposed(dy, m, weight, compute, &mut values));
        B::from_floats(values, m, weight.cols())
    }

    pub(crate) fn frozen_rows<B: HostTensors>(
        weight: &FrozenWeight,
        ids: &[u32],
    ) -> FloatTensor<B> {
        let cols = weight.cols();
        let mut values = vec![0.0; ids.len() * cols];
        for (&id, row) in ids.iter().zip(values.chunks_exact_mut(cols.max(1))) {
            weight.row(id as usize, row);
        }
        B::from_floats(values, ids.len(), cols)
    }
}
