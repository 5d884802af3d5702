use crate::cpu_features::Isa;
use crate::decoder::gate::gated;
use crate::decoder::norm::norm;
use crate::decoder::rope::{Direction, rotate};
use crate::decoder::{Activation, Rotary};
use crate::exp::{exp, tanh};
use crate::lanes::{Kernel, LANES, Lanes, run_on};
use crate::normal::normal;

/// Lengths around vectors, chunks and parts for threads.
const LENGTHS: [usize; 11] = [1, 3, 15, 16, 17, 63, 64, 65, 576, 1000, 40_000];

fn relative_error(got: f32, expected: f64) -> f64 {
    (f64::from(got) - expected).abs() / expected.abs().max(f64::from(f32::MIN_POSITIVE))
}

enum Function {
    Exp,
    Tanh,
}

/// A function of whole vectors.
struct Each<'a>(Function, &'a mut [f32]);

impl Kernel for Each<'_> {
    #[inline(always)]
    #[expect(unsafe_code, reason = "loads and stores")]
    unsafe fn run<L: Lanes>(self) {
        for x in self.1.chunks_exact_mut(LANES) {
            // SAFETY: chunks are as long as vectors.
            unsafe {
                let vector = L::load(x.as_ptr());
                match self.0 {
                    Function::Exp => exp(vector).store(x.as_mut_ptr()),
                    Function::Tanh => tanh(vector).store(x.as_mut_ptr()),
                }
            }
        }
    }
}

/// Evenly spaced numbers.
fn grid(from: f32, to: f32) -> Vec<f32> {
    (0..1 << 20).map(|i| from + (to - from) * i as f32 / (1 << 20) as f32).collect()
}

#[test]
fn exp_is_within_two_ulp() {
    for isa in Isa::available() {
        for (from, to) in [(-87.3, 88.3), (-1.0, 1.0), (-1e-3, 1e-3)] {
            let x = grid(from, to);
            let mut got = x.clone();
            run_on(isa, Each(Function::Exp, &mut got));
            for (x, got) in x.iter().zip(got) {
                let error = relative_error(got, f64::from(*x).exp());
                assert!(error < 2e-7, "{isa:?}: exp({x}) = {got}, error {error:e}");
            }
        }
    }
}

#[test]
fn exp_has_limits() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for isa in Isa::available() {
        let mut x = [
            -inf, -1e30, -104.0, -88.0, 0.0, -0.0, 88.8, 1e30, inf, nan, 0.0, 0.0, 0.0, 0.0, 0.0,
            0.0,
        ];
        run_on(isa, Each(Function::Exp, &mut x));
        assert_eq!(x[..9], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, inf, inf, inf], "{isa:?}");
        assert!(x[9].is_nan(), "{isa:?}");
    }
}

#[test]
fn tanh_is_close() {
    for isa in Isa::available() {
        for (from, to) in [(-20.0, 20.0), (-1.0, 1.0), (-1e-3, 1e-3)] {
            let x = grid(from, to);
            let mut got = x.clone();
            run_on(isa, Each(Function::Tanh, &mut got));
            for (x, got) in x.iter().zip(got) {
                let error = relative_error(got, f64::from(*x).tanh());
                assert!(error < 4e-7, "{isa:?}: tanh({x}) = {got}, error {error:e}");
            }
        }
        let mut x = [f32::INFINITY; LANES];
        x[0] = f32::NAN;
        x[1] = f32::NEG_INFINITY;
        run_on(isa, Each(Function::Tanh, &mut x));
        assert!(x[0].is_nan() && x[1] == -1.0 && x[2] == 1.0, "{isa:?}: {x:?}");
    }
}

fn activation(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Silu => x / (1.0 + (-x).exp()),
        // tanh u = 1 - 2 / (e^2u + 1), in a form that does not cancel.
        Activation::GeluTanh => {
            let u = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            x / (1.0 + (-2.0 * u).exp())
        }
    }
}

#[test]
fn gates() {
    // The exponent of GELU grows with the cube of x, and with it what its rounding does to the tiny values far below.
    for (of, from, to, tolerance) in [
        (Activation::Silu, -80.0, 80.0, 4e-7),
        (Activation::Silu, -2.0, 2.0, 4e-7),
        (Activation::GeluTanh, -2.0, 30.0, 1e-6),
        (Activation::GeluTanh, -7.0, -2.0, 6e-6),
    ] {
        let x = grid(from, to);
        let up: Vec<f32> = x.iter().map(|x| 1.0 + x / 100.0).collect();
        for isa in Isa::available() {
            let mut got = vec![f32::NAN; x.len()];
            gated(isa, of, &x, &up, &mut got);
            for ((x, up), got) in x.iter().zip(&up).zip(got) {
                let expected = activation(of, f64::from(*x)) * f64::from(*up);
                let error = relative_error(got, expected);
                assert!(error < tolerance, "{isa:?}: {of:?}({x}) = {got}, error {error:e}");
            }
        }
    }
}

#[test]
fn gates_of_any_length() {
    for len in LENGTHS {
        let (x, up) = (normal(1, len), normal(2, len));
        for isa in Isa::available() {
            for of in [Activation::Silu, Activation::GeluTanh] {
                let mut got = vec![f32::NAN; len];
                gated(isa, of, &x, &up, &mut got);
                for i in 0..len {
                    let expected = activation(of, f64::from(x[i])) * f64::from(up[i]);
                    assert!(relative_error(got[i], expected) < 1e-5, "{isa:?}, {len}, {i}");
                }
            }
        }
    }
}

#[test]
fn far_gates_are_zero_or_pass() {
    for isa in Isa::available() {
        for of in [Activation::Silu, Activation::GeluTanh] {
            let mut got = [f32::NAN; 4];
            gated(isa, of, &[-1e4, 1e4, -200.0, f32::NAN], &[1.0; 4], &mut got);
            assert_eq!(got[..3], [-0.0, 1e4, -0.0], "{isa:?}, {of:?}");
            assert!(got[3].is_nan());
        }
    }
}

#[test]
fn norms_of_any_width() {
    for width in LENGTHS {
        for rows in [0, 1, 3, 70] {
            let (x, weight) = (normal(1, rows * width), normal(2, width));
            for isa in Isa::available() {
                let mut got = vec![f32::NAN; x.len()];
                norm(isa, &x, &weight, 1e-5, &mut got);
                for (x, got) in x.chunks_exact(width).zip(got.chunks_exact(width)) {
                    let squares: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
                    let root = (squares / width as f64 + f64::from(1e-5f32)).sqrt();
                    for ((x, weight), got) in x.iter().zip(&weight).zip(got) {
                        let expected = f64::from(*x) / root * f64::from(*weight);
                        let error = relative_error(*got, expected);
                        assert!(error < 5e-7, "{isa:?}, {rows} x {width}: {got}, {expected}");
                    }
                }
            }
        }
    }
}

#[test]
fn rotations_of_any_head() {
    for (tokens, heads, head_dim, pairs) in [
        (1, 9, 64, 32),
        (3, 2, 16, 8),
        (2, 3, 20, 10),
        (5, 2, 96, 16),
        (4, 1, 7, 3),
        (2, 2, 8, 0),
        (200, 9, 64, 32),
    ] {
        let x = normal(1, tokens * heads * head_dim);
        let angles = normal(2, tokens * pairs);
        let cos: Vec<f32> = angles.iter().map(|angle| angle.cos()).collect();
        let sin: Vec<f32> = angles.iter().map(|angle| angle.sin()).collect();
        for isa in Isa::available() {
            let mut got = x.clone();
            let rotary = Rotary { cos: &cos, sin: &sin, pairs };
            rotate(isa, Direction::Forward, &mut got, heads, head_dim, rotary);
            for (i, (&got, &x_i)) in got.iter().zip(&x).enumerate() {
                let (token, dim) = (i / (heads * head_dim), i % head_dim);
                let at = |j: usize| {
                    (f64::from(cos[token * pairs + j]), f64::from(sin[token * pairs + j]))
                };
                let expected = if dim < pairs {
                    let (cos, sin) = at(dim);
                    f64::from(x_i) * cos - f64::from(x[i + pairs]) * sin
                } else if dim < 2 * pairs {
                    let (cos, sin) = at(dim - pairs);
                    f64::from(x_i) * cos + f64::from(x[i - pairs]) * sin
                } else {
                    f64::from(x_i)
                };
                let error = (f64::from(got) - expected).abs();
                assert!(error < 1e-6, "{isa:?}: value {i} is {got}, expected {expected}");
            }
        }
    }
}
