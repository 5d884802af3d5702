use std::fmt::Debug;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use cpu_kernels::{ComputeDtype, FrozenWeight};

/// A backend that multiplies by frozen weights.
///
/// A device lays a weight out as its kernels want it; [`upload`](Self::upload) is the only way in.
pub trait FrozenBackend: Backend {
    /// A frozen weight on the device; a clone shares its memory.
    type Weight: Clone + Debug + Send + Sync + 'static;

    /// Brings a weight to the device.
    fn upload(weight: FrozenWeight, device: &Self::Device) -> Self::Weight;

    /// `x · Wᵀ` for each weight: `x` is `[m, k]`, every weight `[n, k]`, every result `[m, n]`.
    ///
    /// Several at once share the preparation of `x`.
    fn frozen_products(
        x: FloatTensor<Self>,
        weights: &[&Self::Weight],
        compute: ComputeDtype,
    ) -> Vec<FloatTensor<Self>>;

    /// `dy · W`: `dy` is `[m, n]`, the weight `[n, k]`, the result `[m, k]`.
    fn frozen_product_transposed(
        dy: FloatTensor<Self>,
        weight: &Self::Weight,
        compute: ComputeDtype,
    ) -> FloatTensor<Self>;

    /// Rows `ids` of the weight, `[ids.len(), k]`: the look-up of embeddings. The caller has checked the ids.
    fn frozen_rows(weight: &Self::Weight, ids: &[u32], device: &Self::Device) -> FloatTensor<Self>;
}
