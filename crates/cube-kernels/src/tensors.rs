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

/// Values on the device.
pub fn upload<R: CubeRuntime>(values: TensorData, device: &R::Device) -> CubeTensor<R> {
    let client = R::client(device);
    let handle = client.create(values.bytes);
    CubeTensor::new_contiguous(client, device.clone(), values.shape, handle, values.dtype)
}

/// Floats in a row.
pub(crate) fn upload_floats<R: CubeRuntime>(values: &[f32], device: &R::Device) -> CubeTensor<R> {
    upload(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// Bytes in words of 32 bits, the first byte lowest; zeros fill the last one.
pub(crate) fn upload_words<R: CubeRuntime>(bytes: Vec<u8>, device: &R::Device) -> CubeTensor<R> {
    let word = |part: &[u8]| {
        let mut word = [0; 4];
        word[..part.len()].copy_from_slice(part);
        u32::from_le_bytes(word)
    };
    let words: Vec<u32> = bytes.chunks(4).map(word).collect();
    let len = words.len();
    upload(TensorData::new(words, [len]), device)
}

/// Bytes that the device's pools hold for this thread's work, in use or kept for later.
pub fn reserved_memory<R: CubeRuntime>(device: &R::Device) -> Option<u64> {
    R::client(device).memory_usage().ok().map(|usage| usage.bytes_reserved)
}

/// The values of a tensor; waits for the device.
pub fn download<R: CubeRuntime>(tensor: CubeTensor<R>) -> TensorData {
    into_data_sync(tensor)
}
