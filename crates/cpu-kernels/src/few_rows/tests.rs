//! Every form of weight on every instruction set, against sums in f64.

use half::{bf16, f16};

use super::products;
use crate::cpu_features::Isa;
use crate::{ComputeDtype, DenseDtype, FrozenWeight, Output, Values};

/// Of the sum of absolute products; f32 rounds to 6e-8.
const TOLERANCE: f64 = 1e-6;
const FORMS: [Form; 6] = [Form::F32, Form::Bf16, Form::F16, Form::Nf4, Form::Nf4Double, Form::Int8];
const COMPUTE: [ComputeDtype; 2] = [ComputeDtype::F32, ComputeDtype::Bf16];

#[derive(Clone, Copy, Debug)]
enum Form {
    F32,
    Bf16,
    F16,
    Nf4,
    Nf4Double,
    Int8,
}

#[test]
fn all_forms_and_shapes() {
    let shapes = [
        (1, 1),
        (1, 33),
        (3, 63),
        (2, 64),
        (5, 65),
        (7, 127),
        (4, 128),
        (9, 130),
        (6, 192),
        (13, 576),
        (31, 576),
        (5, 1536),
        (3, 1537),
    ];
    for isa in Isa::available() {
        for form in FORMS {
            for compute in COMPUTE {
                for (n, k) in shapes {
                    for m in 1..=16 {
                        check(isa, form, compute, m, n, k);
                    }
                }
            }
        }
    }
}

#[test]
fn a_row_is_the_same_among_others() {
    let (n, m) = (11, 16);
    for isa in Isa::available() {
        for form in FORMS {
            for compute in COMPUTE {
                for k in [33, 128, 576] {
                    let weight = weight(form, n, k);
                    let x = values(m * k, 3);
                    let together = product(isa, &weight, &x, m, compute);
                    for rows in [1, 2, 3, 5, 7, 8, 12, 15] {
                        for start in [0, m - rows] {
                            let x = &x[start * k..(start + rows) * k];
                            let alone = product(isa, &weight, x, rows, compute);
                            let same = &together[start * n..(start + rows) * n];
                            let case = format!("{isa:?} {form:?} {compute:?} k={k} {rows}");
                            assert_eq!(bits(&alone), bits(same), "{case}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn fused_instruction_sets_agree_to_the_bit() {
    let fused: Vec<_> = Isa::available().filter(|isa| *isa != Isa::Portable).collect();
    for form in FORMS {
        for compute in COMPUTE {
            for k in [65, 576] {
                let weight = weight(form, 10, k);
                let x = values(5 * k, 5);
                let all: Vec<_> =
                    fused.iter().map(|isa| bits(&product(*isa, &weight, &x, 5, compute))).collect();
                assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{form:?} {compute:?} {k}");
            }
        }
    }
}

/// Many parts on all threads, weights of all forms in one call.
#[test]
fn several_weights_at_once_are_as_each_alone() {
    let (m, k) = (3, 576);
    let x = values(m * k, 7);
    let weights: Vec<_> = FORMS
        .into_iter()
        .zip([1000, 577, 300, 2001, 2002, 399])
        .map(|(f, n)| weight(f, n, k))
        .collect();
    for isa in Isa::available() {
        let mut outs: Vec<_> = weights.iter().map(|w| vec![f32::NAN; m * w.rows()]).collect();
        let mut outputs: Vec<_> =
            weights.iter().zip(&mut outs).map(|(weight, out)| Output { weight, out }).collect();
        products(isa, &x, m, ComputeDtype::F32, &mut outputs);
        for (weight, out) in weights.iter().zip(&outs) {
            let alone: Vec<_> = (0..weight.rows())
                .map(|row| {
                    let mut values = vec![0.0; k];
                    weight.row(row, &mut values);
                    values
                })
                .collect();
            for (j, row) in alone.iter().enumerate() {
                for i in 0..m {
                    near(&x[i * k..(i + 1) * k], row, out[i * weight.rows() + j], "several");
                }
            }
        }
    }
}

#[test]
fn empty_shapes() {
    for isa in Isa::available() {
        let no_inputs = FrozenWeight::f32(3, 0, vec![]).unwrap();
        assert_eq!(product(isa, &no_inputs, &[], 2, ComputeDtype::F32), [0.0; 6]);
        let no_outputs = FrozenWeight::f32(0, 3, vec![]).unwrap();
        assert!(product(isa, &no_outputs, &[1.0; 6], 2, ComputeDtype::F32).is_empty());
        let weight = FrozenWeight::f32(2, 3, vec![1.0; 6]).unwrap();
        assert!(product(isa, &weight, &[], 0, ComputeDtype::F32).is_empty());
        products(isa, &[1.0], 1, ComputeDtype::F32, &mut []);
    }
}

fn check(isa: Isa, form: Form, compute: ComputeDtype, m: usize, n: usize, k: usize) {
    let weight = weight(form, n, k);
    let x = values(m * k, 1);
    let out = product(isa, &weight, &x, m, compute);
    let round = |v: f32| match compute {
        ComputeDtype::F32 => v,
        ComputeDtype::Bf16 => bf16::from_f32(v).to_f32(),
    };
    let mut row = vec![0.0; k];
    for j in 0..n {
        weight.row(j, &mut row);
        row.iter_mut().for_each(|v| *v = round(*v));
        for i in 0..m {
            let x: Vec<_> = x[i * k..(i + 1) * k].iter().map(|v| round(*v)).collect();
            let case = format!("{isa:?} {form:?} {compute:?} [{m}, {k}] [{n}, {k}] at {i}, {j}");
            near(&x, &row, out[i * n + j], &case);
        }
    }
}

fn near(x: &[f32], w: &[f32], got: f32, case: &str) {
    let products = || x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w));
    let (sum, size) = (products().sum::<f64>(), products().map(f64::abs).sum::<f64>());
    let error = (f64::from(got) - sum).abs();
    assert!(error <= TOLERANCE * size, "{case}: {got} is not {sum}, off by {:e}", error / size);
}

fn product(
    isa: Isa,
    weight: &FrozenWeight,
    x: &[f32],
    m: usize,
    compute: ComputeDtype,
) -> Vec<f32> {
    let mut out = vec![f32::NAN; m * weight.rows()];
    products(isa, x, m, compute, &mut [Output { weight, out: &mut out }]);
    out
}

fn weight(form: Form, n: usize, k: usize) -> FrozenWeight {
    let values = values(n * k, 2);
    let dense = || FrozenWeight::f32(n, k, values.clone()).expect("values of this shape");
    match form {
        Form::F32 => dense(),
        Form::Bf16 => dense().to_dense(DenseDtype::Bf16),
        Form::F16 => {
            let halves = values.iter().map(|v| f16::from_f32(*v)).collect();
            FrozenWeight::new(n, k, Values::F16(halves)).expect("values of this shape")
        }
        Form::Nf4 => FrozenWeight::nf4(n, k, &values).expect("finite values"),
        Form::Nf4Double => FrozenWeight::nf4_double(n, k, &values).expect("finite values"),
        Form::Int8 => FrozenWeight::int8(n, k, &values).expect("finite values"),
    }
}

/// Numbers between -1 and 1 without any pattern that a kernel could fall in with; every 17th block is ten times as large.
fn values(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..len)
        .map(|i| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
            if i / 64 % 17 == 3 { value * 10.0 } else { value }
        })
        .collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
