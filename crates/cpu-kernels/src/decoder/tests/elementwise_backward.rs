use crate::cpu_features::Isa;
use crate::decoder::gate_backward::ungated;
use crate::decoder::norm_backward::norm_backward;
use crate::decoder::rope::{Direction, rotate};
use crate::decoder::{Activation, Rotary};
use crate::finite_differences::Derivatives;
use crate::normal::normal;
use crate::set_threads;

/// `Σ dy · rms_norm(x)` by the definition.
fn norm_value(x: &[f64], weight: &[f64], eps: f32, dy: &[f32]) -> f64 {
    let rows = x.chunks_exact(weight.len()).zip(dy.chunks_exact(weight.len()));
    rows.map(|(x, dy)| {
        let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
        let terms =
            x.iter().zip(weight).zip(dy).map(|((x, weight), dy)| x * weight * f64::from(*dy));
        terms.sum::<f64>() / (mean + f64::from(eps)).sqrt()
    })
    .sum()
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[test]
fn norms() {
    for (rows, width) in [(0, 3), (1, 1), (3, 5), (2, 16), (5, 33), (70, 17), (130, 70)] {
        let (x, weight) = (normal(1, rows * width), normal(2, width));
        let dy = normal(3, rows * width);
        let (xs, weights) = (doubles(&x), doubles(&weight));
        for eps in [1e-5, 0.5] {
            let by_x = Derivatives::new(
                |x: &[f64]| norm_value(x, &weights, eps, &dy),
                &x,
                x.len() / 50 + 1,
            );
            let by_weight =
                Derivatives::new(|weight: &[f64]| norm_value(&xs, weight, eps, &dy), &weight, 1);
            for isa in Isa::available() {
                let what = format!("{isa:?}, {rows} x {width}, {eps}");
                let mut dx = vec![f32::NAN; x.len()];
                let mut dweight = vec![f32::NAN; width];
                norm_backward(isa, &x, &weight, eps, &dy, &mut dx, Some(&mut dweight));
                by_x.check(&what, &dx, 2e-6);
                by_weight.check(&what, &dweight, 2e-6);
                let mut without = vec![f32::NAN; x.len()];
                norm_backward(isa, &x, &weight, eps, &dy, &mut without, None);
                assert_eq!(dx, without, "{what}");
            }
        }
    }
}

/// Gates by the definition.
fn gated(activation: Activation, x: f64, up: f64) -> f64 {
    let exponent = match activation {
        Activation::Silu => x,
        Activation::GeluTanh => {
            2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)
        }
    };
    x / (1.0 + (-exponent).exp()) * up
}

#[test]
fn gates() {
    for len in [0, 1, 15, 16, 17, 70, 500] {
        let gate: Vec<f32> = normal(1, len).iter().map(|x| 3.0 * x).collect();
        let (up, dy) = (normal(2, len), normal(3, len));
        let (gates, ups) = (doubles(&gate), doubles(&up));
        for of in [Activation::Silu, Activation::GeluTanh] {
            let sum = |gate: &[f64], up: &[f64]| -> f64 {
                (0..len).map(|i| gated(of, gate[i], up[i]) * f64::from(dy[i])).sum()
            };
            let by_gate = Derivatives::new(|gate: &[f64]| sum(gate, &ups), &gate, 1);
            let by_up = Derivatives::new(|up: &[f64]| sum(&gates, up), &up, 1);
            for isa in Isa::available() {
                let what = format!("{isa:?}, {len}, {of:?}");
                let (mut dgate, mut dup) = (vec![f32::NAN; len], vec![f32::NAN; len]);
                ungated(isa, of, &gate, &up, &dy, &mut dgate, &mut dup);
                by_gate.check(&what, &dgate, 2e-6);
                by_up.check(&what, &dup, 2e-6);
            }
        }
    }
}

#[test]
fn far_gates_are_closed_or_open() {
    for isa in Isa::available() {
        for of in [Activation::Silu, Activation::GeluTanh] {
            let (mut dgate, mut dup) = ([f32::NAN; 5], [f32::NAN; 5]);
            let gate = [-1e6, 1e6, -150.0, 150.0, f32::NAN];
            ungated(isa, of, &gate, &[2.0; 5], &[3.0; 5], &mut dgate, &mut dup);
            for i in [0, 2] {
                assert!(dgate[i].abs() < 1e-20 && dup[i].abs() < 1e-20, "{isa:?}, {of:?}");
            }
            for i in [1, 3] {
                assert_eq!((dgate[i], dup[i]), (6.0, 3.0 * gate[i]), "{isa:?}, {of:?}");
            }
            assert!(dgate[4].is_nan() && dup[4].is_nan());
        }
    }
}

#[test]
fn rotations_go_back() {
    for (tokens, heads, head_dim, pairs) in
        [(3, 2, 16, 8), (2, 3, 20, 10), (5, 2, 96, 16), (4, 1, 7, 3)]
    {
        let (x, dy) = (normal(1, tokens * heads * head_dim), normal(2, tokens * heads * head_dim));
        // Not of one angle: the transpose is wanted, not the inverse.
        let (cos, sin) = (normal(3, tokens * pairs), normal(4, tokens * pairs));
        let rotary = Rotary { cos: &cos, sin: &sin, pairs };
        for isa in Isa::available() {
            let (mut y, mut dx) = (x.clone(), dy.clone());
            rotate(isa, Direction::Forward, &mut y, heads, head_dim, rotary);
            rotate(isa, Direction::Backward, &mut dx, heads, head_dim, rotary);
            for token in 0..tokens {
                let of_token = token * heads * head_dim..(token + 1) * heads * head_dim;
                let dot = |a: &[f32], b: &[f32]| -> f64 {
                    let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                    products.sum()
                };
                let forward = dot(&y[of_token.clone()], &dy[of_token.clone()]);
                let backward = dot(&x[of_token.clone()], &dx[of_token]);
                assert!((forward - backward).abs() < 1e-4, "{isa:?}: {forward}, {backward}");
            }
        }
    }
}

#[test]
fn threads_change_nothing() {
    let (rows, width) = (300, 576);
    let (x, weight, dy) = (normal(1, rows * width), normal(2, width), normal(3, rows * width));
    let run = || {
        let (mut dx, mut dweight) = (vec![f32::NAN; x.len()], vec![f32::NAN; width]);
        let isa = Isa::detected();
        norm_backward(isa, &x, &weight, 1e-5, &dy, &mut dx, Some(&mut dweight));
        let (mut dgate, mut dup) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        ungated(isa, Activation::Silu, &x, &dy, &dy, &mut dgate, &mut dup);
        [dx, dweight, dgate, dup]
    };
    set_threads(1);
    let alone = run();
    for threads in [2, 3] {
        set_threads(threads);
        assert!(alone == run(), "{threads}");
    }
}
