use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_sum, vector_sum};
use crate::tensors::{cube_per_row, dims, empty, packed, vector_size};

/// Root mean square norm of each row of `x` (`[rows, width]`), times `weight` (`[width]`, f32).
///
/// Moves each of `x` and `y` once: bound by memory.
pub fn rms_norm<R: CubeRuntime>(
    x: CubeTensor<R>,
    weight: CubeTensor<R>,
    eps: f32,
) -> CubeTensor<R> {
    let (x, weight) = (packed(x), packed(weight));
    let [rows, width] = dims(&x);
    let y = empty(&x, [rows, width], x.dtype);
    let (size, dtype) = (vector_size(width, x.dtype), x.dtype);
    forward::launch(
        &y.client,
        cube_per_row(rows),
        CubeDim::new_1d(UNITS),
        size,
        x.into_tensor_arg(),
        weight.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        width / size,
        rows,
        eps,
        dtype.into(),
    );
    y
}

/// The gradient of [`rms_norm`] with respect to `x`: with `r = 1 / √(mean x² + eps)` and `g = dy · weight`,
/// `dx = r · (g - x · r² · mean(g · x))`.
pub fn rms_norm_backward<R: CubeRuntime>(
    x: CubeTensor<R>,
    weight: CubeTensor<R>,
    eps: f32,
    dy: CubeTensor<R>,
) -> CubeTensor<R> {
    let (x, weight, dy) = (packed(x), packed(weight), packed(dy));
    let [rows, width] = dims(&x);
    let dx = empty(&x, [rows, width], x.dtype);
    let (size, dtype) = (vector_size(width, x.dtype), x.dtype);
    backward::launch(
        &dx.client,
        cube_per_row(rows),
        CubeDim::new_1d(UNITS),
        size,
        x.into_tensor_arg(),
        weight.into_tensor_arg(),
        dy.into_tensor_arg(),
        dx.clone().into_tensor_arg(),
        width / size,
        rows,
        eps,
        dtype.into(),
    );
    dx
}

#[cube(launch)]
fn forward<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    weight: &Tensor<Vector<f32, N>>,
    y: &mut Tensor<Vector<F, N>>,
    vectors: usize,
    rows: usize,
    eps: f32,
    #[define(F)] _dtype: StorageType,
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let first = CUBE_POS * vectors;
    let mut squares = Vector::<f32, N>::new(0.0);
    for i in range_stepped(UNIT_POS as usize, vectors, CUBE_DIM as usize) {
        let value = Vector::<f32, N>::cast_from(x[first + i]);
        squares += value * value;
    }
    let sum = cube_sum(vector_sum::<N>(squares));
    let width = f32::cast_from(vectors * N::value());
    let scale = Vector::<f32, N>::new(f32::inverse_sqrt(sum / width + eps));
    for i in range_stepped(UNIT_POS as usize, vectors, CUBE_DIM as usize) {
        let value = Vector::<f32, N>::cast_from(x[first + i]);
        y[first + i] = Vector::cast_from(value * scale * weight[i]);
    }
}

#[cube(launch)]
fn backward<F: Float, N: Size>(
    x: &Tensor<Vector<F, N>>,
    weight: &Tensor<Vector<f32, N>>,
    dy: &Tensor<Vector<F, N>>,
    dx: &mut Tensor<Vector<F, N>>,
    vectors: usize,
    rows: usize,
    eps: f32,
    #[define(F)] _dtype: StorageType,
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let first = CUBE_POS * vectors;
    let mut squares = Vector::<f32, N>::new(0.0);
    let mut products = Vector::<f32, N>::new(0.0);
    for i in range_stepped(UNIT_POS as usize, vectors, CUBE_DIM as usize) {
        let value = Vector::<f32, N>::cast_from(x[first + i]);
        squares += value * value;
        products += value * Vector::<f32, N>::cast_from(dy[first + i]) * weight[i];
    }
    let width = f32::cast_from(vectors * N::value());
    let scale = f32::inverse_sqrt(cube_sum(vector_sum::<N>(squares)) / width + eps);
    let mean = cube_sum(vector_sum::<N>(products)) / width;
    let along = Vector::<f32, N>::new(scale * scale * mean);
    let scale = Vector::<f32, N>::new(scale);
    for i in range_stepped(UNIT_POS as usize, vectors, CUBE_DIM as usize) {
        let value = Vector::<f32, N>::cast_from(x[first + i]);
        let g = Vector::<f32, N>::cast_from(dy[first + i]) * weight[i];
        dx[first + i] = Vector::cast_from(scale * (g - value * along));
    }
}
