use burn_backend::{DType, Shape, TensorData, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::into_data_sync;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// Rows and columns of a matrix.
pub(crate) fn dims<R: CubeRuntime>(x: &CubeTensor<R>) -> [usize; 2] {
    x.shape().dims()
}

/// An uninitialized matrix beside `x`.
pub(crate) fn empty<R: CubeRuntime>(
    x: &CubeTensor<R>,
    shape: [usize; 2],
    dtype: DType,
) -> CubeTensor<R> {
    let shape = Shape::new(shape);
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), shape, dtype)
}

/// The same matrix, row-major without gaps.
pub(crate) fn packed<R: CubeRuntime>(x: CubeTensor<R>) -> CubeTensor<R> {
    into_contiguous(x)
}

/// How many neighbours of a row of `width` are read at once: 16 bytes where that divides it.
pub(crate) fn vector_size(width: usize, dtype: DType) -> usize {
    let greatest = 16 / dtype.size();
    (0..=greatest.ilog2())
        .rev()
        .map(|power| 1 << power)
        .find(|size| width.is_multiple_of(*size))
        .unwrap_or(1)
}

/// A cube for each of `rows`, on a grid that any device takes.
pub(crate) fn cube_per_row(rows: usize) -> CubeCount {
    // The first axis alone takes 65,535 cubes on Vulkan.
    const AXIS: u32 = 32_768;
    let rows = rows as u32;
    if rows <= AXIS {
        CubeCount::Static(rows, 1, 1)
    } else {
        CubeCount::Static(AXIS, rows.div_ceil(AXIS), 1)
    }
}

/// Values on the device, `[rows, cols]`.
pub fn upload<R: CubeRuntime>(values: TensorData, device: &R::Device) -> CubeTensor<R> {
    let client = R::client(device);
    let handle = client.create(values.bytes);
    CubeTensor::new_contiguous(client, device.clone(), values.shape, handle, values.dtype)
}

/// The values of a tensor; waits for the device.
pub fn download<R: CubeRuntime>(tensor: CubeTensor<R>) -> TensorData {
    into_data_sync(tensor)
}
