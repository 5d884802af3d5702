use std::sync::Arc;

use burn::tensor::TensorData;
use burn_flex::{Flex, FlexTensor};
use cpu_kernels::{ComputeDtype, FrozenWeight};

use crate::host::kernels;
use crate::{FrozenBackend, HostTensors, LowRank};

impl HostTensors for Flex {
    fn read_floats<R>(tensor: FlexTensor, read: impl FnOnce(&[f32]) -> R) -> R {
        match tensor.as_slice::<f32>() {
            Some(values) => read(values),
            None => read(tensor.to_contiguous().storage::<f32>()),
        }
    }

    fn into_floats(tensor: FlexTensor) -> Vec<f32> {
        match tensor.into_data().into_vec() {
            Ok(values) => values,
            Err(error) => panic!("a tensor of f32 was expected: {error}"),
        }
    }

    fn from_floats(values: Vec<f32>, rows: usize, cols: usize) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(values, [rows, cols]))
    }
}

impl FrozenBackend for Flex {
    type Weight = Arc<FrozenWeight>;

    fn upload(weight: FrozenWeight, _: &Self::Device) -> Self::Weight {
        Arc::new(weight)
    }

    fn frozen_products(
        x: FlexTensor,
        weights: &[&Self::Weight],
        compute: ComputeDtype,
    ) -> Vec<FlexTensor> {
        kernels::frozen_products::<Self>(x, weights, compute)
    }

    fn frozen_product_transposed(
        dy: FlexTensor,
        weight: &Self::Weight,
        compute: ComputeDtype,
    ) -> FlexTensor {
        kernels::frozen_product_transposed::<Self>(dy, weight, compute)
    }

    fn add_low_rank(
        y: FlexTensor,
        x: FlexTensor,
        adapter: LowRank<Self>,
    ) -> (FlexTensor, FlexTensor) {
        kernels::add_low_rank::<Self>(y, x, adapter)
    }

    fn low_rank_backward(
        dx: FlexTensor,
        dy: FlexTensor,
        x: FlexTensor,
        low: FlexTensor,
        adapter: LowRank<Self>,
    ) -> [FlexTensor; 3] {
        kernels::adapter_gradients::<Self>(dx, dy, x, low, adapter)
    }

    fn frozen_rows(weight: &Self::Weight, ids: &[u32], _: &Self::Device) -> FlexTensor {
        kernels::frozen_rows::<Self>(weight, ids)
    }
}
