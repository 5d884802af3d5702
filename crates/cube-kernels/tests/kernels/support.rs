//! To the device and back, and what is near enough.

use burn_backend::TensorData;
use cube_kernels::{CubeTensor, download, upload};

#[cfg(feature = "cuda")]
pub(crate) type Device = cube_kernels::CudaRuntime;
#[cfg(not(feature = "cuda"))]
pub(crate) type Device = cube_kernels::WgpuRuntime;

/// Numbers from -1 to 1, the same each time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn take(&mut self, count: usize) -> Vec<f32> {
        let mut next = || {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }
}

pub(crate) fn put(values: &[f32], rows: usize, cols: usize) -> CubeTensor<Device> {
    upload(TensorData::new(values.to_vec(), [rows, cols]), &Default::default())
}

pub(crate) fn half(values: &[f32], rows: usize, cols: usize) -> CubeTensor<Device> {
    let values: Vec<half::f16> = values.iter().map(|&value| half::f16::from_f32(value)).collect();
    upload(TensorData::new(values, [rows, cols]), &Default::default())
}

pub(crate) fn put_ids(values: &[u32]) -> CubeTensor<Device> {
    upload(TensorData::new(values.to_vec(), [values.len(), 1]), &Default::default())
}

pub(crate) fn get(tensor: CubeTensor<Device>) -> Vec<f64> {
    download(tensor).iter::<f64>().collect()
}

/// Fails where a value is further from what it should be than `tolerance` times the greatest of them.
#[track_caller]
pub(crate) fn close(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-30f64, |size, value| size.max(value.abs()));
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let off = (actual - expected).abs() / size;
        assert!(
            off <= tolerance,
            "{what}: value {i} is {actual}, not {expected}: off by {off:.2e}"
        );
    }
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// A number for each element of a matrix.
pub(crate) fn matrix(
    rows: usize,
    cols: usize,
    mut value: impl FnMut(usize, usize) -> f64,
) -> Vec<f64> {
    (0..rows * cols).map(|at| value(at / cols, at % cols)).collect()
}
