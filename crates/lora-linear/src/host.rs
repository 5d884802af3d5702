use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

/// A backend whose tensors lie in the memory of the host, so that a kernel over slices can work on them.
pub trait HostTensors: Backend {
    /// Calls `read` with the values of `tensor` in row-major order; copies only what is not contiguous.
    ///
    /// # Panics
    /// Where the tensor is not of f32: the CPU backends keep activations in f32.
    fn read_floats<R>(tensor: FloatTensor<Self>, read: impl FnOnce(&[f32]) -> R) -> R;

    /// The values of `tensor` in row-major order, to be changed; copies what is shared or not contiguous.
    ///
    /// # Panics
    /// Where the tensor is not of f32.
    fn into_floats(tensor: FloatTensor<Self>) -> Vec<f32>;

    /// A tensor of the values, without a copy. `values.len()` is `rows * cols`.
    fn from_floats(values: Vec<f32>, rows: usize, cols: usize) -> FloatTensor<Self>;
}

/// What [`FrozenBackend`](crate::FrozenBackend) asks for, on any backend in host memory.
pub(crate) mod kernels {
    use std::sync::Arc;

    use burn::tensor::TensorMetadata;
    use burn::tensor::ops::FloatTensor;
    use cpu_kernels::low_rank::{LowRankDropout, low_rank_add, low_rank_backward};
    use cpu_kernels::{ComputeDtype, FrozenWeight, Output, product_transposed, products};

    use super::HostTensors;
    use crate::{Dropout, LowRank};

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

    pub(crate) fn add_low_rank<B: HostTensors>(
        y: FloatTensor<B>,
        x: FloatTensor<B>,
        adapter: LowRank<B>,
    ) -> (FloatTensor<B>, FloatTensor<B>) {
        let ([m, n], rank) = (y.shape().dims(), adapter.a.shape()[0]);
        let (mut y, mut low) = (B::into_floats(y), vec![0.0; m * rank]);
        let (scaling, dropout) = (adapter.scaling as f32, adapter.dropout.map(kernel_dropout));
        B::read_floats(x, |x| {
            B::read_floats(adapter.a, |a| {
                B::read_floats(adapter.b, |b| {
                    low_rank_add(x, m, a, b, rank, scaling, dropout, &mut low, &mut y);
                });
            });
        });
        (B::from_floats(y, m, n), B::from_floats(low, m, rank))
    }

    pub(crate) fn adapter_gradients<B: HostTensors>(
        dx: FloatTensor<B>,
        dy: FloatTensor<B>,
        x: FloatTensor<B>,
        low: FloatTensor<B>,
        adapter: LowRank<B>,
    ) -> [FloatTensor<B>; 3] {
        let ([m, k], [n, rank]) = (x.shape().dims(), adapter.b.shape().dims());
        let (mut da, mut db) = (vec![0.0; rank * k], vec![0.0; n * rank]);
        let mut dx = B::into_floats(dx);
        let (scaling, dropout) = (adapter.scaling as f32, adapter.dropout.map(kernel_dropout));
        B::read_floats(x, |x| {
            B::read_floats(low, |low| {
                B::read_floats(dy, |dy| {
                    B::read_floats(adapter.a, |a| {
                        B::read_floats(adapter.b, |b| {
                            low_rank_backward(
                                x, low, dy, m, a, b, rank, scaling, dropout, &mut dx, &mut da,
                                &mut db,
                            );
                        });
                    });
                });
            });
        });
        [B::from_floats(dx, m, k), B::from_floats(da, rank, k), B::from_floats(db, n, rank)]
    }

    fn kernel_dropout(dropout: Dropout) -> LowRankDropout {
        LowRankDropout { probability: dropout.probability, seed: dropout.seed }
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
