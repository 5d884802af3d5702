use burn::tensor::Tensor;
use cpu_kernels::ComputeDtype;

use crate::dora::magnitude_ratio;
use crate::{Dropout, Frozen, FrozenBackend, Lora};

/// A linear projection `y = x · Wᵀ + bias`, `W` frozen, with an optional LoRA adapter on top.
#[derive(Clone, Debug)]
pub struct LoraLinear<B: FrozenBackend> {
    /// The frozen base, `[outputs, inputs]`.
    pub base: Frozen<B>,
    /// `[outputs]`.
    pub bias: Option<Tensor<B, 1>>,
    /// The adapter.
    pub lora: Option<Lora<B>>,
}

impl<B: FrozenBackend> LoraLinear<B> {
    /// A projection without bias and adapter.
    pub fn new(base: Frozen<B>) -> Self {
        Self { base, bias: None, lora: None }
    }

    /// `[m, inputs]` to `[m, outputs]`.
    pub fn forward(&self, x: Tensor<B, 2>, compute: ComputeDtype) -> Tensor<B, 2> {
        let [y] = Self::forward_many([self], x, compute);
        y
    }

    /// The same input through several projections: `q`, `k` and `v`, or `gate` and `up`.
    pub fn forward_many<const N: usize>(
        projections: [&Self; N],
        x: Tensor<B, 2>,
        compute: ComputeDtype,
    ) -> [Tensor<B, 2>; N] {
        let bases = projections.map(|projection| &projection.base);
        let products = Frozen::products(bases, x.clone(), compute);
        let mut products = products.into_iter();
        projections.map(|projection| match products.next() {
            Some(product) => projection.finish(x.clone(), product, None, compute),
            None => unreachable!("a product for each projection"),
        })
    }

    /// As [`forward`](Self::forward), with dropout on the adapter's input.
    pub fn forward_dropout(
        &self,
        x: Tensor<B, 2>,
        dropout: &Dropout<B>,
        compute: ComputeDtype,
    ) -> Tensor<B, 2> {
        let product = self.base.product(x.clone(), compute);
        self.finish(x, product, Some(dropout), compute)
    }

    /// Adapter and bias on the product of the base.
    fn finish(
        &self,
        x: Tensor<B, 2>,
        product: Tensor<B, 2>,
        dropout: Option<&Dropout<B>>,
        compute: ComputeDtype,
    ) -> Tensor<B, 2> {
        let adapted = match &self.lora {
            None => product,
            Some(lora) => {
                let dropped = match dropout {
                    Some(dropout) => x * dropout.mask.clone(),
                    None => x,
                };
                let correction = lora.correction(dropped.clone());
                match &lora.dora {
                    None => product + correction,
                    Some(dora) => {
                        // PEFT takes the base's part of the correction from the dropped input too.
                        let base = match dropout {
                            Some(_) => self.base.product(dropped, compute),
                            None => product.clone(),
                        };
                        let ratio = magnitude_ratio(&self.base, lora, dora);
                        product + (ratio.clone() - 1.0) * base + ratio * correction
                    }
                }
            }
        };
        match &self.bias {
            None => adapted,
            Some(bias) => adapted + bias.clone().unsqueeze::<2>(),
        }
    }
}
