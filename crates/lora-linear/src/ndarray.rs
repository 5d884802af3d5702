use std::sync::Arc;

use burn::tensor::{TensorData, TensorMetadata};
use burn_ndarray::{NdArray, NdArrayTensor};
use cpu_kernels::{ComputeDtype, FrozenWeight};

use crate::host::kernels;
use crate::{FrozenBackend, HostTensors};

impl HostTensors for NdArray {
    fn read_floats<R>(tensor: NdArrayTensor, read: impl FnOnce(&[f32]) -> R) -> R {
        let NdArrayTensor::F32(storage) = tensor else {
            panic!("a tensor of f32 was expected, this one is of {:?}", tensor.dtype());
        };
        let view = storage.view();
        read(view.as_standard_layout().as_slice().unwrap_or_default())
    }

    fn into_floats(tensor: NdArrayTensor) -> Vec<f32> {
        Self::read_floats(tensor, <[f32]>::to_vec)
    }

    fn from_floats(values: Vec<f32>, rows: usize, cols: usize) -> NdArrayTensor {
        NdArrayTensor::from_data(TensorData::new(values, [rows, cols]))
    }
}

impl FrozenBackend for NdArray {
    type Weight = Arc<FrozenWeight>;

    fn upload(weight: FrozenWeight, _: &Self::Device) -> Self::Weight {
        Arc::new(weight)
    }

    fn frozen_products(
        x: NdArrayTensor,
        weights: &[&Self::Weight],
        compute: ComputeDtype,
    ) -> Vec<NdArrayTensor> {
        kernels::frozen_products::<Self>(x, weights, compute)
    }

    fn frozen_product_transposed(
        dy: NdArrayTensor,
        weight: &Self::Weight,
        compute: ComputeDtype,
    ) -> NdArrayTensor {
        kernels::frozen_product_transposed::<Self>(dy, weight, compute)
    }

    fn frozen_rows(weight: &Self::Weight, ids: &[u32], _: &Self::Device) -> NdArrayTensor {
        kernels::frozen_rows::<Self>(weight, ids)
    }
}
