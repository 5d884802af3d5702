//! The low-rank correction in Burn's own operations: the reference of the kernels.

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};
use cpu_kernels::ComputeDtype;

use crate::{Dropout, FrozenBackend, LowRank};

pub(crate) fn add_low_rank<B: FrozenBackend>(
    y: FloatTensor<B>,
    x: FloatTensor<B>,
    adapter: LowRank<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (y, x) = (tensor::<B>(y), tensor::<B>(x));
    let x = seen(x, &adapter);
    let low = x.matmul(tensor::<B>(adapter.a).transpose());
    let correction = low.clone().matmul(tensor::<B>(adapter.b).transpose());
    (primitive(y + correction.mul_scalar(adapter.scaling)), primitive(low))
}

pub(crate) fn adapted_products<B: FrozenBackend>(
    x: FloatTensor<B>,
    projections: Vec<(&B::Weight, Option<LowRank<B>>)>,
    compute: ComputeDtype,
) -> Vec<FloatTensor<B>> {
    let weights: Vec<_> = projections.iter().map(|(weight, _)| *weight).collect();
    let products = B::frozen_products(x.clone(), &weights, compute);
    let adapted = products.into_iter().zip(projections).map(|(y, (_, adapter))| match adapter {
        None => y,
        Some(adapter) => B::add_low_rank(y, x.clone(), adapter).0,
    });
    adapted.collect()
}

pub(crate) fn add_adapted_product<B: FrozenBackend>(
    onto: FloatTensor<B>,
    x: FloatTensor<B>,
    projection: (&B::Weight, Option<LowRank<B>>),
    compute: ComputeDtype,
) -> FloatTensor<B> {
    let products = B::adapted_products(x, vec![projection], compute);
    products.into_iter().fold(onto, B::float_add)
}

pub(crate) fn low_rank_backward<B: FrozenBackend>(
    dx: FloatTensor<B>,
    dy: FloatTensor<B>,
    x: FloatTensor<B>,
    low: FloatTensor<B>,
    adapter: LowRank<B>,
) -> [FloatTensor<B>; 3] {
    let (dx, x, low) = (tensor::<B>(dx), tensor::<B>(x), tensor::<B>(low));
    let dy = tensor::<B>(dy).mul_scalar(adapter.scaling);
    let x = seen(x, &adapter);
    let dlow = dy.clone().matmul(tensor::<B>(adapter.b.clone()));
    let db = dy.transpose().matmul(low);
    let da = dlow.clone().transpose().matmul(x);
    let through = seen(dlow.matmul(tensor::<B>(adapter.a.clone())), &adapter);
    [primitive(dx + through), primitive(da), primitive(db)]
}

pub(crate) fn dropped<B: Backend>(x: FloatTensor<B>, dropout: Dropout) -> FloatTensor<B> {
    let x = tensor::<B>(x);
    let mask = dropout.mask(x.dims(), &x.device());
    primitive(x * mask)
}

/// What an adapter sees of its input.
fn seen<B: FrozenBackend>(x: Tensor<B, 2>, adapter: &LowRank<B>) -> Tensor<B, 2> {
    match adapter.dropout {
        None => x,
        Some(dropout) => tensor::<B>(B::dropped(primitive(x), dropout)),
    }
}

fn tensor<B: Backend>(primitive: FloatTensor<B>) -> Tensor<B, 2> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend>(tensor: Tensor<B, 2>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}
