use burn::tensor::{Tensor, TensorPrimitive};
use burn_autodiff::Autodiff;
use cpu_kernels::{ComputeDtype, FrozenWeight};

use crate::FrozenBackend;

/// A frozen weight on a device: `rows` outputs by `cols` inputs. A clone shares its memory.
#[derive(Clone, Debug)]
pub struct Frozen<B: FrozenBackend> {
    weight: B::Weight,
    rows: usize,
    cols: usize,
}

impl<B: FrozenBackend> Frozen<B> {
    /// Brings a weight to the device.
    pub fn new(weight: FrozenWeight, device: &B::Device) -> Self {
        let (rows, cols) = (weight.rows(), weight.cols());
        Self { weight: B::upload(weight, device), rows, cols }
    }

    /// The same weight for a graph, in which it is a constant.
    pub fn with_graph(&self) -> Frozen<Autodiff<B>> {
        Frozen { weight: self.weight.clone(), rows: self.rows, cols: self.cols }
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The weight as the device holds it.
    pub fn weight(&self) -> &B::Weight {
        &self.weight
    }

    /// `x · Wᵀ`, `[m, cols]` to `[m, rows]`.
    pub fn product(&self, x: Tensor<B, 2>, compute: ComputeDtype) -> Tensor<B, 2> {
        let [product] = Self::products([self], x, compute);
        product
    }

    /// `x · Wᵀ` for each of several weights with the same number of inputs.
    pub fn products<const N: usize>(
        weights: [&Self; N],
        x: Tensor<B, 2>,
        compute: ComputeDtype,
    ) -> [Tensor<B, 2>; N] {
        let inner = weights.map(|frozen| &frozen.weight);
        let products = B::frozen_products(x.into_primitive().tensor(), &inner, compute);
        let mut products = products.into_iter();
        weights.map(|_| match products.next() {
            Some(product) => Tensor::from_primitive(TensorPrimitive::Float(product)),
            None => unreachable!("a backend returns a product for each weight"),
        })
    }

    /// `dy · W`, `[m, rows]` to `[m, cols]`.
    pub fn product_transposed(&self, dy: Tensor<B, 2>, compute: ComputeDtype) -> Tensor<B, 2> {
        let dy = dy.into_primitive().tensor();
        let product = B::frozen_product_transposed(dy, &self.weight, compute);
        Tensor::from_primitive(TensorPrimitive::Float(product))
    }

    /// Rows `ids`, `[ids.len(), cols]`: the look-up of embeddings.
    ///
    /// # Panics
    /// Where an id is not below [`rows`](Self::rows).
    pub fn select(&self, ids: &[u32], device: &B::Device) -> Tensor<B, 2> {
        if let Some(id) = ids.iter().find(|&&id| id as usize >= self.rows) {
            panic!("row {id} of a weight of {} rows", self.rows);
        }
        Tensor::from_primitive(TensorPrimitive::Float(B::frozen_rows(&self.weight, ids, device)))
    }
}
