//! One suite for every backend: products with frozen weights, and their gradients, against plain sums in f64.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_ndarray::NdArray;
#[cfg(any(feature = "cuda", feature = "vulkan"))]
use cube_kernels::Gpu;
use half::{bf16, f16};
use lora_linear::{ComputeDtype, Frozen, FrozenBackend, FrozenWeight, LoraLinear, Values};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Rows of `x`, outputs, inputs: decoding and prefill, whole blocks of NF4 and rows that blocks cross.
const SHAPES: [[usize; 3]; 7] = [
    [1, 1, 1],
    [1, 64, 128],
    [3, 7, 33],
    [8, 65, 192],
    [17, 48, 100],
    [33, 129, 64],
    [70, 40, 576],
];

fn draw(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    (0..count).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect()
}

fn weights(n: usize, k: usize) -> Vec<(&'static str, FrozenWeight)> {
    let values = draw(n * k, 11);
    let dense = |values| FrozenWeight::new(n, k, values).expect("the shape fits");
    vec![
        ("f32", dense(Values::F32(values.clone()))),
        ("bf16", dense(Values::Bf16(values.iter().map(|&v| bf16::from_f32(v)).collect()))),
        ("f16", dense(Values::F16(values.iter().map(|&v| f16::from_f32(v)).collect()))),
        ("nf4", FrozenWeight::nf4(n, k, &values).expect("finite")),
        ("nf4 twice", FrozenWeight::nf4_double(n, k, &values).expect("finite")),
        ("int8", FrozenWeight::int8(n, k, &values).expect("finite")),
    ]
}

/// `a · b`, `[m, k]` by `[k, n]`, and the sums of absolute products, which errors are measured by.
fn reference(a: &[f32], b: impl Fn(usize, usize) -> f32, [m, k, n]: [usize; 3]) -> Vec<(f64, f64)> {
    let mut out = vec![(0.0, 0.0); m * n];
    for i in 0..m {
        for j in 0..n {
            for l in 0..k {
                let product = f64::from(a[i * k + l]) * f64::from(b(l, j));
                out[i * n + j].0 += product;
                out[i * n + j].1 += product.abs();
            }
        }
    }
    out
}

fn check<B>(compute: ComputeDtype, tolerance: f64)
where
    B: AutodiffBackend + FrozenBackend,
    B::InnerBackend: FrozenBackend,
{
    let device = B::Device::default();
    for [m, n, k] in SHAPES {
        for (name, weight) in weights(n, k) {
            let mut dense = vec![0.0; n * k];
            weight.dequantize(0..n, &mut dense);
            let (x, dy) = (draw(m * k, 1), draw(m * n, 2));
            let linear = LoraLinear::new(Frozen::<B::InnerBackend>::new(weight.clone(), &device));
            let frozen = Frozen::<B>::new(weight, &device);
            let input = Tensor::<B, 2>::from_data(TensorData::new(x.clone(), [m, k]), &device)
                .require_grad();
            // The same weight twice in one call: each product has a gradient of its own.
            let [y, twin] = Frozen::products([&frozen, &frozen], input.clone(), compute);
            assert_eq!(y.dims(), [m, n]);
            let near = |what: &str, got: TensorData, expected: &[(f64, f64)]| {
                let got = got.to_vec::<f32>().expect("values are f32");
                for (got, (expected, scale)) in got.iter().zip(expected) {
                    let error = (f64::from(*got) - expected).abs();
                    assert!(
                        error <= tolerance * scale,
                        "{what}, {name}, {m}x{n}x{k}: {got}, expected {expected}"
                    );
                }
            };
            let expected = reference(&x, |l, j| dense[j * k + l], [m, k, n]);
            near("product", y.to_data(), &expected);
            near("product beside another", twin.to_data(), &expected);
            let onto = Tensor::from_data(TensorData::new(dy.clone(), [m, n]), &device);
            let sum = linear.forward_onto(onto, input.clone().inner(), compute, None);
            let added: Vec<_> = expected
                .iter()
                .zip(&dy)
                .map(|(&(product, scale), &dy)| {
                    let dy = f64::from(dy);
                    (product + dy, scale + dy.abs())
                })
                .collect();
            near("product on top", sum.into_data(), &added);
            let grad = Tensor::<B, 2>::from_data(TensorData::new(dy.clone(), [m, n]), &device);
            let grads = (y * grad.clone() + twin.mul_scalar(0.0)).sum().backward();
            let expected = reference(&dy, |l, j| dense[l * k + j], [m, n, k]);
            near("gradient", input.grad(&grads).expect("x has a gradient").into_data(), &expected);
            near(
                "transposed product",
                frozen.product_transposed(grad, compute).into_data(),
                &expected,
            );
        }
    }
}

#[test]
fn flex_in_f32() {
    check::<Autodiff<Flex>>(ComputeDtype::F32, 1e-6);
}

#[test]
fn ndarray_in_f32() {
    check::<Autodiff<NdArray>>(ComputeDtype::F32, 1e-6);
}

/// Each factor is off by up to 2⁻⁹ of itself.
#[test]
fn flex_in_bf16() {
    check::<Autodiff<Flex>>(ComputeDtype::Bf16, 2.0f64.powi(-8) * 1.01);
}

#[test]
fn ndarray_in_bf16() {
    check::<Autodiff<NdArray>>(ComputeDtype::Bf16, 2.0f64.powi(-8) * 1.01);
}

#[test]
fn the_gradient_of_the_transposed_product_is_a_product() {
    type B = Autodiff<Flex>;
    let device = Default::default();
    let frozen = Frozen::<B>::new(weights(5, 70).swap_remove(3).1, &device);
    let dy =
        Tensor::<B, 2>::from_data(TensorData::new(draw(10, 5), [2, 5]), &device).require_grad();
    let g = Tensor::<B, 2>::from_data(TensorData::new(draw(140, 6), [2, 70]), &device);
    let grads =
        (frozen.product_transposed(dy.clone(), ComputeDtype::F32) * g.clone()).sum().backward();
    let got = dy.grad(&grads).expect("dy has a gradient").into_data();
    let expected = frozen.product(g, ComputeDtype::F32).into_data();
    got.assert_approx_eq::<f32>(&expected, burn::tensor::Tolerance::absolute(1e-5));
}

/// `near`: a device may multiply by the scale of a row where the processor multiplies by its absmax and 1/127.
fn check_rows<B: FrozenBackend>(near: f32) {
    let device = B::Device::default();
    for (name, weight) in weights(9, 33) {
        let mut expected = vec![0.0; 33];
        weight.row(8, &mut expected);
        let frozen = Frozen::<B>::new(weight, &device);
        let rows = frozen.select(&[8, 0, 8], &device).into_data();
        let rows = rows.to_vec::<f32>().expect("values are f32");
        for row in [&rows[..33], &rows[66..]] {
            let same =
                |(got, expected): (&f32, &f32)| (got - expected).abs() <= near * expected.abs();
            assert!(row.iter().zip(&expected).all(same), "{name}: {row:?}, not {expected:?}");
        }
    }
}

#[test]
fn rows_are_looked_up() {
    check_rows::<NdArray>(0.0);
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
#[test]
fn rows_are_looked_up_on_a_gpu() {
    check_rows::<Gpu>(f32::EPSILON);
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
#[test]
fn gpu_in_f32() {
    check::<Autodiff<Gpu>>(ComputeDtype::F32, 1e-6);
}

/// Vulkan in software has no bf16.
#[cfg(feature = "cuda")]
#[test]
fn gpu_in_bf16() {
    check::<Autodiff<Gpu>>(ComputeDtype::Bf16, 2.0f64.powi(-8) * 1.01);
}

/// A mask is made of integers: the same on every device.
#[cfg(any(feature = "cuda", feature = "vulkan"))]
#[test]
fn dropout_is_the_same_on_a_gpu() {
    use lora_linear::Dropout;

    let device = Default::default();
    for (rows, cols, probability) in [(1, 1, 0.5), (3, 7, 0.0), (5, 300, 0.25), (2, 65, 1.0)] {
        let dropout = Dropout { probability, seed: 0x1234_5678_9abc_def0 };
        let mask = dropout.mask::<Flex>([rows, cols], &Default::default()).into_data();
        let ones = Tensor::<Gpu, 2>::ones([rows, cols], &device).into_primitive().tensor();
        let dropped = Gpu::dropped(ones, dropout);
        let dropped =
            Tensor::<Gpu, 2>::from_primitive(burn::tensor::TensorPrimitive::Float(dropped));
        dropped.into_data().assert_eq(&mask, true);
    }
}
