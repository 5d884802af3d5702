use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind, unary};
use cpu_kernels::{ComputeDtype, FrozenWeight};

use crate::FrozenBackend;

impl<B: FrozenBackend, C: CheckpointStrategy> FrozenBackend for Autodiff<B, C> {
    type Weight = B::Weight;

    fn upload(weight: FrozenWeight, device: &Self::Device) -> Self::Weight {
        B::upload(weight, device)
    }

    fn frozen_products(
        x: FloatTensor<Self>,
        weights: &[&Self::Weight],
        compute: ComputeDtype,
    ) -> Vec<FloatTensor<Self>> {
        let outputs = B::frozen_products(x.primitive.clone(), weights, compute);
        let tracked = weights.iter().zip(outputs).map(|(weight, output)| {
            let prepared = FrozenProduct.prepare::<C>([x.node.clone()]).compute_bound().stateful();
            match prepared {
                OpsKind::Tracked(prepared) => prepared.finish(((*weight).clone(), compute), output),
                OpsKind::UnTracked(prepared) => prepared.finish(output),
            }
        });
        tracked.collect()
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

    fn frozen_rows(weight: &Self::Weight, ids: &[u32], device: &Self::Device) -> FloatTensor<Self> {
        Self::from_inner(B::frozen_rows(weight, ids, device))
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
