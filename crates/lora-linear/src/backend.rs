use std::fmt::Debug;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use cpu_kernels::{ComputeDtype, FrozenWeight};

use crate::{Dropout, composed};

/// A backend that multiplies by frozen weights.
///
/// A device lays a weight out as its kernels want it; [`upload`](Self::upload) is the only way in.
pub trait FrozenBackend: Backend {
    /// A frozen weight on the device; a clone shares its memory.
    type Weight: Clone + Debug + Send + Sync + 'static;

    /// Brings a weight to the device.
    fn upload(weight: FrozenWeight, device: &Self::Device) -> Self::Weight;

    /// The type of activations where products have this precision: f32, unless the device gains from less.
    fn activation_dtype(_compute: ComputeDtype, _device: &Self::Device) -> DType {
        DType::F32
    }

    /// `x · Wᵀ` for each weight: `x` is `[m, k]`, every weight `[n, k]`, every result `[m, n]`, of the type of `x`.
    ///
    /// Several at once share the preparation of `x`.
    fn frozen_products(
        x: FloatTensor<Self>,
        weights: &[&Self::Weight],
        compute: ComputeDtype,
    ) -> Vec<FloatTensor<Self>>;

    /// `dy · W`: `dy` is `[m, n]`, the weight `[n, k]`, the result `[m, k]`, of the type of `dy`.
    fn frozen_product_transposed(
        dy: FloatTensor<Self>,
        weight: &Self::Weight,
        compute: ComputeDtype,
    ) -> FloatTensor<Self>;

    /// Rows `ids` of the weight, `[ids.len(), k]`, in f32: the look-up of embeddings. The caller has checked the ids.
    fn frozen_rows(weight: &Self::Weight, ids: &[u32], device: &Self::Device) -> FloatTensor<Self>;

    /// Dropout of `x`, `[m, k]`, by the mask of [`Dropout::mask`].
    fn dropped(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self> {
        composed::dropped::<Self>(x, dropout)
    }

    /// `y + scaling · low · Bᵀ` with `low = dropout(x) · Aᵀ`; gives both: a gradient needs `low`, `[m, rank]`. Activations have
    /// one type, adapters are f32.
    fn add_low_rank(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        adapter: LowRank<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::add_low_rank::<Self>(y, x, adapter)
    }

    /// Gradients of [`add_low_rank`](Self::add_low_rank) with respect to `x`, added to `dx`, and, in f32, to `A` and `B`.
    fn low_rank_backward(
        dx: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        x: FloatTensor<Self>,
        low: FloatTensor<Self>,
        adapter: LowRank<Self>,
    ) -> [FloatTensor<Self>; 3] {
        composed::low_rank_backward::<Self>(dx, dy, x, low, adapter)
    }

    /// [`frozen_products`](Self::frozen_products), each with its adapter on top.
    fn adapted_products(
        x: FloatTensor<Self>,
        projections: Vec<(&Self::Weight, Option<LowRank<Self>>)>,
        compute: ComputeDtype,
    ) -> Vec<FloatTensor<Self>> {
        composed::adapted_products::<Self>(x, projections, compute)
    }

    /// `onto` and, on top of it, what [`adapted_products`](Self::adapted_products) makes of one projection: a residual stream and what a
    /// block brings to it.
    fn add_adapted_product(
        onto: FloatTensor<Self>,
        x: FloatTensor<Self>,
        projection: (&Self::Weight, Option<LowRank<Self>>),
        compute: ComputeDtype,
    ) -> FloatTensor<Self> {
        composed::add_adapted_product::<Self>(onto, x, projection, compute)
    }
}

/// A low-rank correction `scaling · dropout(x) · Aᵀ · Bᵀ`, as backends take it.
#[derive(Clone, Debug)]
pub struct LowRank<B: Backend> {
    /// `[rank, k]`.
    pub a: FloatTensor<B>,
    /// `[n, rank]`.
    pub b: FloatTensor<B>,
    /// What the correction is multiplied by.
    pub scaling: f64,
    /// Dropout on its input.
    pub dropout: Option<Dropout>,
}
