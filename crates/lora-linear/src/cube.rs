use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::{FloatTensorOps, IntTensorOps};
use burn::tensor::{DType, TensorData, TensorMetadata};
use burn_cubecl::kernel::cast;
use burn_cubecl::{BoolElement, CubeBackend, FloatElement, IntElement};
use cpu_kernels::low_rank::LowRankDropout;
use cpu_kernels::{ComputeDtype, FrozenWeight, Values};
use cube_kernels::{
    CubeRuntime, CubeTensor, FEW_ROWS, Int8Weight, LowRankFactors, Nf4Weight, add_low_rank_to_few,
    half_precision, product, upload,
};

use crate::{Dropout, FrozenBackend, LowRank, composed};

/// A frozen weight on a graphics processor.
#[derive(Clone, Debug)]
pub enum CubeWeight<R: CubeRuntime> {
    /// `[rows, cols]` of floats.
    Dense(Arc<CubeTensor<R>>),
    /// 4-bit NormalFloat in blocks of 64.
    Nf4(Arc<Nf4Weight<R>>),
    /// 8 bits with a scale a row.
    Int8(Arc<Int8Weight<R>>),
}

impl<R: CubeRuntime> CubeWeight<R> {
    /// `x · Wᵀ` of each weight on top of `onto`, nothing or one for each, without the dense weights, where there is a kernel for so few
    /// rows.
    fn few_rows(
        weights: &[&Self],
        x: &CubeTensor<R>,
        onto: &[CubeTensor<R>],
    ) -> Option<Vec<CubeTensor<R>>> {
        let nf4 = weights.iter().map(|weight| match weight {
            Self::Nf4(weight) => Some(weight.as_ref()),
            Self::Dense(_) | Self::Int8(_) => None,
        });
        let int8 = weights.iter().map(|weight| match weight {
            Self::Int8(weight) => Some(weight.as_ref()),
            Self::Dense(_) | Self::Nf4(_) => None,
        });
        if let Some(weights) = nf4.collect::<Option<Vec<_>>>() {
            return Nf4Weight::few_rows(&weights, x, onto);
        }
        Int8Weight::few_rows(&int8.collect::<Option<Vec<_>>>()?, x, onto)
    }

    /// The values, `[rows, cols]`, in `dtype`.
    fn dense(&self, dtype: DType) -> CubeTensor<R> {
        match self {
            Self::Dense(weight) => cast(weight.as_ref().clone(), dtype),
            Self::Nf4(weight) => weight.dequantize(dtype),
            Self::Int8(weight) => weight.dequantize(dtype),
        }
    }
}

impl<R, F, I, BT> FrozenBackend for CubeBackend<R, F, I, BT>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    BT: BoolElement,
{
    type Weight = CubeWeight<R>;

    fn upload(weight: FrozenWeight, device: &Self::Device) -> CubeWeight<R> {
        let (rows, cols) = (weight.rows(), weight.cols());
        let has_bf16 = Self::supports_dtype(device, DType::BF16);
        let dense = |values| CubeWeight::Dense(Arc::new(upload(values, device)));
        match weight.values() {
            Values::Nf4(values) => {
                let blocks = values.len().div_ceil(64);
                let absmax: Vec<f32> = (0..blocks).map(|at| values.absmax().get(at)).collect();
                let codebook = cpu_kernels::Nf4::codebook();
                let packed = values.packed();
                let weight = Nf4Weight::new(rows, cols, packed, &absmax, codebook, device);
                CubeWeight::Nf4(Arc::new(weight))
            }
            Values::Int8(values) => {
                let scales: Vec<f32> = (0..rows).map(|row| values.scale(row)).collect();
                let codes = values.codes();
                CubeWeight::Int8(Arc::new(Int8Weight::new(rows, cols, codes, &scales, device)))
            }
            Values::Bf16(values) if has_bf16 => {
                dense(TensorData::new(values.clone(), [rows, cols]))
            }
            Values::F16(values) => dense(TensorData::new(values.clone(), [rows, cols])),
            _ => {
                let mut values = vec![0.0f32; rows * cols];
                weight.dequantize(0..rows, &mut values);
                dense(TensorData::new(values, [rows, cols]))
            }
        }
    }

    fn activation_dtype(compute: ComputeDtype, device: &Self::Device) -> DType {
        factors::<R>(compute, device)
    }

    fn frozen_products(
        x: CubeTensor<R>,
        weights: &[&CubeWeight<R>],
        compute: ComputeDtype,
    ) -> Vec<CubeTensor<R>> {
        if let Some(products) = CubeWeight::few_rows(weights, &x, &[]) {
            return products;
        }
        let dtype = factors::<R>(compute, &x.device);
        let low = cast(x.clone(), dtype);
        let of = |weight: &CubeWeight<R>| {
            // Of those that are stored in different ways.
            if let Some(y) = CubeWeight::few_rows(&[weight], &x, &[]).and_then(|mut one| one.pop())
            {
                return y;
            }
            let transposed = Self::float_swap_dims(weight.dense(dtype), 0, 1);
            product(low.clone(), transposed, x.dtype)
        };
        weights.iter().map(|weight| of(weight)).collect()
    }

    fn adapted_products(
        x: CubeTensor<R>,
        projections: Vec<(&CubeWeight<R>, Option<LowRank<Self>>)>,
        compute: ComputeDtype,
    ) -> Vec<CubeTensor<R>> {
        let (weights, adapters): (Vec<_>, Vec<_>) = projections.into_iter().unzip();
        if !corrects_few(&x, &adapters) {
            let projections = weights.into_iter().zip(adapters).collect();
            return composed::adapted_products::<Self>(x, projections, compute);
        }
        let products = Self::frozen_products(x.clone(), &weights, compute);
        correct_few(&x, &products, adapters);
        products
    }

    fn add_adapted_product(
        onto: CubeTensor<R>,
        x: CubeTensor<R>,
        (weight, adapter): (&CubeWeight<R>, Option<LowRank<Self>>),
        compute: ComputeDtype,
    ) -> CubeTensor<R> {
        let adapters = [adapter];
        if corrects_few(&x, &adapters) && onto.dtype == x.dtype {
            let sums = CubeWeight::few_rows(&[weight], &x, std::slice::from_ref(&onto));
            if let Some(sum) = sums.and_then(|mut sums| sums.pop()) {
                correct_few(&x, std::slice::from_ref(&sum), adapters);
                return sum;
            }
        }
        let [adapter] = adapters;
        composed::add_adapted_product::<Self>(onto, x, (weight, adapter), compute)
    }

    fn frozen_product_transposed(
        dy: CubeTensor<R>,
        weight: &CubeWeight<R>,
        compute: ComputeDtype,
    ) -> CubeTensor<R> {
        let (dtype, of_result) = (factors::<R>(compute, &dy.device), dy.dtype);
        product(cast(dy, dtype), weight.dense(dtype), of_result)
    }

    fn add_low_rank(
        y: CubeTensor<R>,
        x: CubeTensor<R>,
        adapter: LowRank<Self>,
    ) -> (CubeTensor<R>, CubeTensor<R>) {
        let Factors { a, b } = Factors::new::<Self>(&adapter, y.dtype);
        let dtype = y.dtype;
        let low = product(seen::<Self, R>(x, &adapter), Self::float_swap_dims(a, 0, 1), dtype);
        let correction = product(low.clone(), Self::float_swap_dims(b, 0, 1), dtype);
        (Self::float_add(y, correction), low)
    }

    fn low_rank_backward(
        dx: CubeTensor<R>,
        dy: CubeTensor<R>,
        x: CubeTensor<R>,
        low: CubeTensor<R>,
        adapter: LowRank<Self>,
    ) -> [CubeTensor<R>; 3] {
        let dtype = dy.dtype;
        let Factors { a, b } = Factors::new::<Self>(&adapter, dtype);
        let dlow = product(dy.clone(), b, dtype);
        let db = product(Self::float_swap_dims(dy, 0, 1), low, DType::F32);
        let db = Self::float_mul_scalar(db, adapter.scaling.into());
        let x = seen::<Self, R>(x, &adapter);
        let da = product(Self::float_swap_dims(dlow.clone(), 0, 1), x, DType::F32);
        let through = seen::<Self, R>(product(dlow, a, dtype), &adapter);
        [Self::float_add(dx, through), da, db]
    }

    fn dropped(x: CubeTensor<R>, dropout: Dropout) -> CubeTensor<R> {
        let Dropout { probability, seed } = dropout;
        let dropout = LowRankDropout { probability, seed };
        let (threshold, factor) = dropout.threshold();
        let rows = x.shape()[0];
        let keys = (0..rows).flat_map(|row| dropout.row_keys(row)).collect();
        cube_kernels::dropout(x, keys, threshold, factor)
    }

    fn frozen_rows(weight: &CubeWeight<R>, ids: &[u32], device: &Self::Device) -> CubeTensor<R> {
        let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
        let count = ids.len();
        let ids = Self::int_from_data(TensorData::new(ids, [count]), device);
        let weight = match weight {
            CubeWeight::Dense(weight) => weight.as_ref().clone(),
            packed => packed.dense(DType::F32),
        };
        cast(Self::float_select(weight, 0, ids), DType::F32)
    }
}

/// Whether [`correct_few`] takes these.
fn corrects_few<B, R>(x: &CubeTensor<R>, adapters: &[Option<LowRank<B>>]) -> bool
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let dropped = adapters.iter().flatten().any(|adapter| adapter.dropout.is_some());
    !dropped && x.shape()[0] <= FEW_ROWS
}

/// Corrects products of the few rows `x` in place, each by its adapter.
fn correct_few<B, R>(
    x: &CubeTensor<R>,
    products: &[CubeTensor<R>],
    adapters: impl IntoIterator<Item = Option<LowRank<B>>>,
) where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let corrected = products.iter().zip(adapters).filter_map(|(y, adapter)| {
        let LowRank { a, b, scaling, .. } = adapter?;
        Some((y.clone(), LowRankFactors { a, b, scaling: scaling as f32 }))
    });
    add_low_rank_to_few(x, corrected.collect());
}

/// An adapter's factors in the type of activations: `A`, and `scaling · B`.
struct Factors<R: CubeRuntime> {
    a: CubeTensor<R>,
    b: CubeTensor<R>,
}

impl<R: CubeRuntime> Factors<R> {
    fn new<B>(adapter: &LowRank<B>, dtype: DType) -> Self
    where
        B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
    {
        let b = B::float_mul_scalar(adapter.b.clone(), adapter.scaling.into());
        Self { a: cast(adapter.a.clone(), dtype), b: cast(b, dtype) }
    }
}

/// What an adapter sees of its input; of a gradient, what comes back through that.
fn seen<B, R>(x: CubeTensor<R>, adapter: &LowRank<B>) -> CubeTensor<R>
where
    R: CubeRuntime,
    B: FrozenBackend<FloatTensorPrimitive = CubeTensor<R>>,
{
    match adapter.dropout {
        None => x,
        Some(dropout) => B::dropped(x, dropout),
    }
}

/// The type of the factors of a product.
fn factors<R: CubeRuntime>(compute: ComputeDtype, device: &R::Device) -> DType {
    match compute {
        ComputeDtype::F32 => DType::F32,
        ComputeDtype::Bf16 => half_precision::<R>(device),
    }
}
