use burn_backend::{DType, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_sum, vector_sum};
use crate::tensors::{cube_per_row, dims, empty, packed, vector_size};

/// An adapter's factors, in f32.
#[derive(Clone, Debug)]
pub struct LowRankFactors<R: CubeRuntime> {
    /// `[rank, k]`.
    pub a: CubeTensor<R>,
    /// `[n, rank]`.
    pub b: CubeTensor<R>,
    /// What the correction is multiplied by.
    pub scaling: f32,
}

/// Adds `scaling · (x · Aᵀ) · Bᵀ` to each `y`, `[m, n]`, in place, for all that hold it: adapters of one input `x`, `[m, k]`, in two
/// launches, whatever their number. For a few rows: reads `A` and `B` once, and sums for all rows at a time.
pub fn add_low_rank_to_few<R: CubeRuntime>(
    x: &CubeTensor<R>,
    corrected: Vec<(CubeTensor<R>, LowRankFactors<R>)>,
) {
    let ([m, k], count) = (dims(x), corrected.len());
    if m * count == 0 {
        return;
    }
    let x = packed(x.clone());
    let (client, dtype) = (x.client.clone(), x.dtype);
    let (mut ys, mut downs, mut ups) = (Vec::new(), Vec::new(), Vec::new());
    let mut scalings = Vec::new();
    for (y, LowRankFactors { a, b, scaling }) in corrected {
        ys.push(y);
        downs.push(packed(a));
        ups.push(packed(b));
        scalings.push(scaling);
    }
    let [ranks, outputs] =
        [&downs, &ups].map(|factors| factors.iter().map(|f| f.shape()[0]).collect::<Vec<_>>());
    let (rank, size) = (ranks.iter().sum(), vector_size(k, DType::F32));
    let low = empty(&x, [rank, m], DType::F32);
    down::launch(
        &client,
        cube_per_row(rank),
        CubeDim::new_1d(UNITS),
        size,
        x.into_tensor_arg(),
        downs.into_iter().map(CubeTensor::into_tensor_arg).collect(),
        low.clone().into_tensor_arg(),
        ranks.iter().copied().collect(),
        rank,
        k / size,
        count,
        m,
        dtype.into(),
    );
    let units = outputs.iter().sum();
    let dim = CubeDim::new(&client, units);
    up::launch(
        &client,
        calculate_cube_count_elemwise(&client, units, dim),
        dim,
        low.into_tensor_arg(),
        ups.into_iter().map(CubeTensor::into_tensor_arg).collect(),
        ys.into_iter().map(CubeTensor::into_tensor_arg).collect(),
        outputs.into_iter().collect(),
        ranks.into_iter().collect(),
        scalings.into_iter().collect(),
        count,
        m,
        dtype.into(),
    );
}

/// `A · xᵀ` of all adapters below each other, `[ranks, m]`: a cube has one row of one `A`.
#[cube(launch)]
fn down<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    factors: &Sequence<Tensor<Vector<f32, N>>>,
    low: &mut Tensor<f32>,
    ranks: &Sequence<usize>,
    rows: usize,
    vectors: usize,
    #[comptime] count: usize,
    #[comptime] m: usize,
    #[define(F)] _dtype: StorageType,
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let mut sums = Array::<f32>::new(m);
    #[unroll]
    for j in 0..m {
        sums[j] = 0.0;
    }
    let mut first = 0usize;
    #[unroll]
    for i in 0..count {
        let end = first + *ranks.index(i);
        if CUBE_POS >= first && CUBE_POS < end {
            let a = factors.index(i);
            let row = (CUBE_POS - first) * vectors;
            for at in range_stepped(UNIT_POS as usize, vectors, CUBE_DIM as usize) {
                let of_a = a[row + at];
                #[unroll]
                for j in 0..m {
                    let of_x = Vector::<f32, N>::cast_from(x[j * vectors + at]);
                    sums[j] += vector_sum::<N>(of_a * of_x);
                }
            }
        }
        first = end;
    }
    #[unroll]
    for j in 0..m {
        let sum = cube_sum(sums[j]);
        if UNIT_POS == 0 {
            low[CUBE_POS * m + j] = sum;
        }
    }
}

/// `y += scaling · lowᵀ · Bᵀ`: a unit has one column of one `y`.
#[cube(launch)]
fn up<F: Float>(
    low: &Tensor<f32>,
    factors: &Sequence<Tensor<f32>>,
    ys: &mut Sequence<Tensor<F>>,
    outputs: &Sequence<usize>,
    ranks: &Sequence<usize>,
    scalings: &Sequence<f32>,
    #[comptime] count: usize,
    #[comptime] m: usize,
    #[define(F)] _dtype: StorageType,
) {
    let mut first = 0usize;
    let mut first_low = 0usize;
    #[unroll]
    for i in 0..count {
        let columns = *outputs.index(i);
        let rank = *ranks.index(i);
        let end = first + columns;
        if ABSOLUTE_POS >= first && ABSOLUTE_POS < end {
            let column = ABSOLUTE_POS - first;
            let b = factors.index(i);
            let mut sums = Array::<f32>::new(m);
            #[unroll]
            for j in 0..m {
                sums[j] = 0.0;
            }
            for r in 0..rank {
                let of_b = b[column * rank + r];
                #[unroll]
                for j in 0..m {
                    sums[j] += of_b * low[(first_low + r) * m + j];
                }
            }
            let scaling = *scalings.index(i);
            let y = ys.index_mut(i);
            #[unroll]
            for j in 0..m {
                let at = j * columns + column;
                y[at] = F::cast_from(f32::cast_from(y[at]) + scaling * sums[j]);
            }
        }
        first = end;
        first_low += rank;
    }
}
