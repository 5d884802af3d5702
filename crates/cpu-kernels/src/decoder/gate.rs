#![expect(unsafe_code, reason = "loops over vectors")]

use crate::cpu_features::Isa;
use crate::exp::exp;
use crate::lanes::{Kernel, LANES, Lanes, run_on};
use crate::rows::for_rows;

/// `2 · √(2/π)`, and that times 0.044715: coefficients of GELU's exponent.
pub(super) const LINEAR: f32 = 1.595_769_2;
pub(super) const CUBIC: f32 = 0.071_354_814;

/// The activation of a gated feed-forward block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · sigmoid(x)`.
    Silu,
    /// GELU by its tanh approximation.
    GeluTanh,
}

/// `out = activation(gate) · up`, element by element.
///
/// # Panics
///
/// Where the three differ in length.
pub fn gate(activation: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
    gated(Isa::detected(), activation, gate, up, out);
}

/// [`gate`] with the instructions of `isa`.
pub(super) fn gated(isa: Isa, activation: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
    assert_eq!((gate.len(), up.len()), (out.len(), out.len()));
    for_rows(out, 1, &|first, out| {
        let (gate, up) = (&gate[first..][..out.len()], &up[first..][..out.len()]);
        run_on(isa, Gate { activation, gate, up, out });
    });
}

struct Gate<'a> {
    activation: Activation,
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Gate<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: passed on.
        unsafe {
            match self.activation {
                Activation::Silu => self.each::<L, false>(),
                Activation::GeluTanh => self.each::<L, true>(),
            }
        }
    }
}

impl Gate<'_> {
    /// # Safety
    ///
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn each<L: Lanes, const GELU: bool>(self) {
        for start in (0..self.out.len()).step_by(LANES) {
            let n = LANES.min(self.out.len() - start);
            let (gate, up) = (&self.gate[start..start + n], &self.up[start..start + n]);
            let out = &mut self.out[start..start + n];
            // SAFETY: slices are `n` long.
            unsafe {
                if n == LANES {
                    let activated = activated::<L, GELU>(L::load(gate.as_ptr()));
                    activated.mul(L::load(up.as_ptr())).store(out.as_mut_ptr());
                } else {
                    let activated = activated::<L, GELU>(L::load_first(gate.as_ptr(), n));
                    let up = L::load_first(up.as_ptr(), n);
                    activated.mul(up).store_first(out.as_mut_ptr(), n);
                }
            }
        }
    }
}

/// `x · sigmoid(x)`, or `x · sigmoid(2u)` with `u = √(2/π) · (x + 0.044715 · x³)`, which is `x/2 · (1 + tanh u)` without
/// its cancellation.
///
/// # Safety
///
/// As [`Kernel::run`].
#[inline(always)]
unsafe fn activated<L: Lanes, const GELU: bool>(x: L) -> L {
    // SAFETY: passed on.
    unsafe {
        let zero = L::splat(0.0);
        let minus_exponent = if GELU {
            zero.sub(x).mul(x.mul(x).mul_add(L::splat(CUBIC), L::splat(LINEAR)))
        } else {
            zero.sub(x)
        };
        x.div(exp(minus_exponent).add(L::splat(1.0)))
    }
}
