use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, TensorMetadata};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind, unary};
use cpu_kernels::{ComputeDtype, FrozenWeight};

use crate::{FrozenBackend, LowRank};

impl<B: FrozenBackend, C: CheckpointStrategy> FrozenBackend for Autodiff<B, C> {
    type Weight = B::Weight;

    fn upload(weight: FrozenWeight, device: &Self::Device) -> Self::Weight {
        B::upload(weight, device)
    }

    fn activation_dtype(compute: ComputeDtype, device: &Self::Device) -> DType {
        B::activation_dtype(compute, device)
    }

    fn frozen_products(
        x: FloatTensor<Self>,
        weights: &[&Self::Weight],
        compute: ComputeDtype,
    ) -> Vec<FloatTensor<Self>> {
        let outputs = B::frozen_products(x.primitive.clone(), weights, compute);
        let tracked = weights.iter().zip(outputs);
        tracked.map(|(weight, y)| tracked_product::<B, C>(&x, weight, compute, y)).collect()
    }

    fn frozen_product_transposed(
        dy: FloatTensor<Self>,
        weight: &Self::Weight,
        compute: ComputeDtype,
    ) -> FloatTensor<Self> {
        let output = B::frozen_product_transposed(dy.primitive, weight, compute);
        let prepared = TransposedProduct.prepare::<C>([dy.node]).compute_bound().stateful();
        match prepared {
            OpsKind::Tracked(prepared) => prepared.finish((weight.clone(), compute), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn adapted_products(
        x: FloatTensor<Self>,
        projections: Vec<(&Self::Weight, Option<LowRank<Self>>)>,
        compute: ComputeDtype,
    ) -> Vec<FloatTensor<Self>> {
        let weights: Vec<_> = projections.iter().map(|(weight, _)| *weight).collect();
        let products = B::frozen_products(x.primitive.clone(), &weights, compute);
        let adapted = products.into_iter().zip(projections).map(|(product, (weight, adapter))| {
            let Some(LowRank { a, b, scaling, dropout }) = adapter else {
                return tracked_product::<B, C>(&x, weight, compute, product);
            };
            let inner = LowRank { a: a.primitive, b: b.primitive, scaling, dropout };
            let (y, low) = B::add_low_rank(product, x.primitive.clone(), inner.clone());
            let nodes = [x.node.clone(), a.node, b.node];
            match AdaptedProduct.prepare::<C>(nodes).compute_bound().stateful() {
                OpsKind::Tracked(prepared) => {
                    let (x, weight) = (x.primitive.clone(), weight.clone());
                    let state = Adapted { x, low, weight, adapter: inner, compute };
                    prepared.finish(state, y)
                }
                OpsKind::UnTracked(prepared) => prepared.finish(y),
            }
        });
        adapted.collect()
    }

    fn frozen_rows(weight: &Self::Weight, ids: &[u32], device: &Self::Device) -> FloatTensor<Self> {
        Self::from_inner(B::frozen_rows(weight, ids, device))
    }
}

/// Puts `y = x · Wᵀ` into the graph.
fn tracked_product<B: FrozenBackend, C: CheckpointStrategy>(
    x: &FloatTensor<Autodiff<B, C>>,
    weight: &B::Weight,
    compute: ComputeDtype,
    y: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    match FrozenProduct.prepare::<C>([x.node.clone()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((weight.clone(), compute), y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

/// `y = x · Wᵀ + scaling · dropout(x) · Aᵀ · Bᵀ`, with the gradients of `x`, `A` and `B`.
#[derive(Debug)]
struct AdaptedProduct;

#[derive(Clone, Debug)]
struct Adapted<B: FrozenBackend> {
    x: FloatTensor<B>,
    low: FloatTensor<B>,
    weight: B::Weight,
    adapter: LowRank<B>,
    compute: ComputeDtype,
}

impl<B: FrozenBackend> Backward<B, 3> for AdaptedProduct {
    type State = Adapted<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let Adapted { x, low, weight, adapter, compute } = ops.state;
        let dy = grads.consume::<B>(&ops.node);
        let [to_x, to_a, to_b] = ops.parents;
        let through_base = match &to_x {
            Some(_) => B::frozen_product_transposed(dy.clone(), &weight, compute),
            None => B::float_zeros(x.shape(), &B::float_device(&x), x.dtype().into()),
        };
        let [dx, da, db] = B::low_rank_backward(through_base, dy, x, low, adapter);
        for (parent, gradient) in [(to_x, dx), (to_a, da), (to_b, db)] {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// `y = x · Wᵀ`; its gradient is `dx = dy · W`.
#[derive(Debug)]
struct FrozenProduct;

impl<B: FrozenBackend> Backward<B, 1> for FrozenProduct {
    type State = (B::Weight, ComputeDtype);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (weight, compute) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::frozen_product_transposed(dy, &weight, compute)
        });
    }
}

/// `dx = dy · W`; its gradient is `g · Wᵀ`.
#[derive(Debug)]
struct TransposedProduct;

impl<B: FrozenBackend> Backward<B, 1> for TransposedProduct {
    type State = (B::Weight, ComputeDtype);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (weight, compute) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |g| {
            let mut products = B::frozen_products(g, &[&weight], compute);
            products.swap_remove(0)
        });
    }
}
