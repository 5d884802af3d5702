//! Every kernel that the processor has, and the AMX kernel on emulated registers, against sums in f64.

mod independence;
mod packing;
mod sums;

use super::method::Method;
use super::{forward, kernel, transposed};
use crate::{ComputeDtype, DenseDtype, FrozenWeight, Output};

const COMPUTE: [ComputeDtype; 2] = [ComputeDtype::F32, ComputeDtype::Bf16];

fn methods(compute: ComputeDtype) -> Vec<Method> {
    let mut methods = Method::available(compute);
    #[cfg(target_arch = "x86_64")]
    if compute == ComputeDtype::Bf16 {
        methods.push(Method { kernel: kernel::amx_emulated(), rounded: false });
    }
    methods
}

/// One weight in each form.
fn weights(n: usize, k: usize) -> Vec<(&'static str, FrozenWeight)> {
    let values = noise(2, n * k);
    let dense = FrozenWeight::f32(n, k, values.clone()).expect("n * k values");
    vec![
        ("bf16", dense.to_dense(DenseDtype::Bf16)),
        ("f16", dense.to_dense(DenseDtype::F16)),
        ("nf4", FrozenWeight::nf4(n, k, &values).expect("finite")),
        ("nf4 double", FrozenWeight::nf4_double(n, k, &values).expect("finite")),
        ("int8", FrozenWeight::int8(n, k, &values).expect("finite")),
        ("f32", dense),
    ]
}

/// Values between -1 and 1.
fn noise(seed: u32, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn dequantized(weight: &FrozenWeight) -> Vec<f32> {
    let mut values = vec![0.0; weight.rows() * weight.cols()];
    weight.dequantize(0..weight.rows(), &mut values);
    values
}

fn product(method: Method, x: &[f32], m: usize, weight: &FrozenWeight) -> Vec<f32> {
    let mut out = vec![f32::NAN; m * weight.rows()];
    forward::products(method, x, m, &mut [Output { weight, out: &mut out }]);
    out
}

fn product_transposed(method: Method, dy: &[f32], m: usize, weight: &FrozenWeight) -> Vec<f32> {
    let mut out = vec![f32::NAN; m * weight.cols()];
    transposed::product_transposed(method, dy, m, weight, &mut out);
    out
}

/// Bits, since NaN is not equal to itself.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
