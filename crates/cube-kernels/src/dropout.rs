use burn_backend::TensorData;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::tensors::{dims, empty, packed, upload};

/// Each value of `x` (`[rows, cols]`) times `factor`, or zero where the hash of its column and of its row's two keys is below
/// `threshold`. `keys` has two numbers a row.
///
/// The hash is that of the processor's kernels, with the constants of Wellons (2018), "lowbias32".
///
/// # Panics
/// Where the keys are not two a row.
pub fn dropout<R: CubeRuntime>(
    x: CubeTensor<R>,
    keys: Vec<u32>,
    threshold: u32,
    factor: f32,
) -> CubeTensor<R> {
    let x = packed(x);
    let [rows, cols] = dims(&x);
    assert_eq!(keys.len(), 2 * rows, "two keys a row");
    let keys = upload::<R>(TensorData::new(keys, [rows, 2]), &x.device);
    let y = empty(&x, [rows, cols], x.dtype);
    let (units, dtype) = (rows * cols, x.dtype);
    let dim = CubeDim::new(&y.client, units);
    mask::launch(
        &y.client,
        calculate_cube_count_elemwise(&y.client, units, dim),
        dim,
        x.into_tensor_arg(),
        keys.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        units,
        cols,
        threshold,
        factor,
        dtype.into(),
    );
    y
}

#[cube(launch)]
fn mask<F: Float>(
    x: &Tensor<F>,
    keys: &Tensor<u32>,
    y: &mut Tensor<F>,
    units: usize,
    cols: usize,
    threshold: u32,
    factor: f32,
    #[define(F)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= units {
        terminate!();
    }
    let row = ABSOLUTE_POS / cols;
    let mut hash = ((ABSOLUTE_POS % cols) as u32) ^ keys[2 * row];
    hash = (hash ^ (hash >> 16)) * 0x7feb_352du32;
    // The second key comes between the multiplications, so that two rows are not the same up to an order of columns.
    hash = ((hash ^ (hash >> 15)) + keys[2 * row + 1]) * 0x846c_a68bu32;
    hash = hash ^ (hash >> 16);
    let mut value = f32::cast_from(x[ABSOLUTE_POS]) * factor;
    if hash < threshold {
        value = 0.0;
    }
    y[ABSOLUTE_POS] = F::cast_from(value);
}
