use burn::tensor::{Tensor, TensorPrimitive};
use cpu_kernels::ComputeDtype;

use crate::dora::magnitude_ratio;
use crate::{Dropout, Frozen, FrozenBackend, Lora, Weight};

/// A linear projection `y = x · Wᵀ + bias` with an optional LoRA adapter on top.
#[derive(Clone, Debug)]
pub struct LoraLinear<B: FrozenBackend> {
    /// The base, `[outputs, inputs]`.
    pub base: Weight<B>,
    /// `[outputs]`.
    pub bias: Option<Tensor<B, 1>>,
    /// The adapter.
    pub lora: Option<Lora<B>>,
}

impl<B: FrozenBackend> LoraLinear<B> {
    /// A projection without bias and adapter.
    pub fn new(base: Frozen<B>) -> Self {
        Self { base: Weight::Frozen(base), bias: None, lora: None }
    }

    /// `[m, inputs]` to `[m, outputs]`, with dropout on the adapter's input.
    pub fn forward(
        &self,
        x: Tensor<B, 2>,
        compute: ComputeDtype,
        dropout: Option<Dropout>,
    ) -> Tensor<B, 2> {
        let [y] = Self::forward_many([self], x, compute, [dropout]);
        y
    }

    /// `onto`, `[m, outputs]`, and [`forward`](Self::forward) on top of it.
    pub fn forward_onto(
        &self,
        onto: Tensor<B, 2>,
        x: Tensor<B, 2>,
        compute: ComputeDtype,
        dropout: Option<Dropout>,
    ) -> Tensor<B, 2> {
        let Some(base) = self.plain_base().filter(|_| self.bias.is_none()) else {
            return onto + self.forward(x, compute, dropout);
        };
        let adapter = self.lora.as_ref().map(|lora| lora.low_rank(dropout));
        let [onto, x] = [onto, x].map(|tensor| tensor.into_primitive().tensor());
        let sum = B::add_adapted_product(onto, x, (base.weight(), adapter), compute);
        Tensor::from_primitive(TensorPrimitive::Float(sum))
    }

    /// The same input through several projections: `q`, `k` and `v`, or `gate` and `up`.
    pub fn forward_many<const N: usize>(
        projections: [&Self; N],
        x: Tensor<B, 2>,
        compute: ComputeDtype,
        dropouts: [Option<Dropout>; N],
    ) -> [Tensor<B, 2>; N] {
        let bases = projections.map(Self::plain_base);
        let together = bases.iter().all(Option::is_some);
        let mut products = Vec::new();
        if together {
            let pairs = bases.into_iter().flatten().zip(projections).zip(dropouts);
            let pairs = pairs.map(|((base, projection), dropout)| {
                let lora = projection.lora.as_ref();
                (base.weight(), lora.map(|lora| lora.low_rank(dropout)))
            });
            products =
                B::adapted_products(x.clone().into_primitive().tensor(), pairs.collect(), compute);
        }
        let mut products = products.into_iter();
        let mut dropouts = dropouts.into_iter();
        projections.map(|projection| {
            let dropout = dropouts.next().flatten();
            let y = match products.next() {
                Some(product) => Tensor::from_primitive(TensorPrimitive::Float(product)),
                None => {
                    let mask = dropout.map(|dropout| dropout.mask(x.dims(), &x.device()));
                    projection.without_bias(x.clone(), compute, mask)
                }
            };
            projection.biased(y)
        })
    }

    /// As [`forward`](Self::forward), the adapter's input times `mask`, `[m, inputs]`.
    pub fn forward_masked(
        &self,
        x: Tensor<B, 2>,
        compute: ComputeDtype,
        mask: Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        self.biased(self.without_bias(x, compute, Some(mask)))
    }

    /// The frozen base of a projection whose adapter is nothing but low-rank.
    fn plain_base(&self) -> Option<&Frozen<B>> {
        let plain = self.lora.as_ref().is_none_or(|lora| lora.dora.is_none());
        self.base.frozen().filter(|_| plain)
    }

    fn without_bias(
        &self,
        x: Tensor<B, 2>,
        compute: ComputeDtype,
        mask: Option<Tensor<B, 2>>,
    ) -> Tensor<B, 2> {
        let product = self.base.product(x.clone(), compute);
        let Some(lora) = &self.lora else { return product };
        let masked = mask.is_some();
        let dropped = match mask {
            Some(mask) => {
                let mask = mask.cast(x.dtype());
                x * mask
            }
            None => x,
        };
        let correction = lora.correction(dropped.clone());
        match &lora.dora {
            None => product + correction,
            Some(dora) => {
                // PEFT takes the base's part of the correction from the dropped input too.
                let base = match masked {
                    true => self.base.product(dropped, compute),
                    false => product.clone(),
                };
                let ratio = magnitude_ratio(&self.base, lora, dora).cast(product.dtype());
                product + (ratio.clone() - 1.0) * base + ratio * correction
            }
        }
    }

    fn biased(&self, y: Tensor<B, 2>) -> Tensor<B, 2> {
        match &self.bias {
            None => y,
            Some(bias) => {
                let bias = bias.clone().cast(y.dtype());
                y + bias.unsqueeze::<2>()
            }
        }
    }
}
