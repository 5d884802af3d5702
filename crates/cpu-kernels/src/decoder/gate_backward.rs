#![expect(unsafe_code, reason = "loops over vectors")]

use super::Activation;
use super::gate::{CUBIC, LINEAR};
use crate::cpu_features::Isa;
use crate::exp::exp;
use crate::lanes::{Kernel, LANES, Lanes, run_on};
use crate::rows::for_rows;
use crate::scratch::Disjoint;

/// The gradient of [`gate`](super::gate): `dgate = dy · up · activation'(gate)` and `dup = dy · activation(gate)`, both
/// overwritten, element by element.
///
/// # Panics
///
/// Where the five differ in length.
pub fn gate_backward(
    activation: Activation,
    gate: &[f32],
    up: &[f32],
    dy: &[f32],
    dgate: &mut [f32],
    dup: &mut [f32],
) {
    ungated(Isa::detected(), activation, gate, up, dy, dgate, dup);
}

/// [`gate_backward`] with the instructions of `isa`.
pub(super) fn ungated(
    isa: Isa,
    activation: Activation,
    gate: &[f32],
    up: &[f32],
    dy: &[f32],
    dgate: &mut [f32],
    dup: &mut [f32],
) {
    let len = dgate.len();
    assert_eq!([gate.len(), up.len(), dy.len(), dup.len()], [len; 4]);
    let dup = Disjoint::new(dup);
    for_rows(dgate, 1, &|first, dgate| {
        let of_part = first..first + dgate.len();
        let (gate, up, dy) = (&gate[of_part.clone()], &up[of_part.clone()], &dy[of_part]);
        // SAFETY: parts of `dgate` are disjoint, and so are these.
        let dup = unsafe { dup.slice(first, dgate.len()) };
        run_on(isa, Backward { activation, gate, up, dy, dgate, dup });
    });
}

/// All of one length.
struct Backward<'a> {
    activation: Activation,
    gate: &'a [f32],
    up: &'a [f32],
    dy: &'a [f32],
    dgate: &'a mut [f32],
    dup: &'a mut [f32],
}

impl Kernel for Backward<'_> {
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

impl Backward<'_> {
    /// # Safety
    ///
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn each<L: Lanes, const GELU: bool>(self) {
        for start in (0..self.dgate.len()).step_by(LANES) {
            let range = start..self.dgate.len().min(start + LANES);
            let (gate, up) = (&self.gate[range.clone()], &self.up[range.clone()]);
            let (dy, dgate) = (&self.dy[range.clone()], &mut self.dgate[range.clone()]);
            let dup = &mut self.dup[range];
            let n = dy.len();
            // SAFETY: slices are `n` long.
            unsafe {
                if n == LANES {
                    let (gate, up) = (L::load(gate.as_ptr()), L::load(up.as_ptr()));
                    let (by_gate, by_up) = gradients::<L, GELU>(gate, up, L::load(dy.as_ptr()));
                    by_gate.store(dgate.as_mut_ptr());
                    by_up.store(dup.as_mut_ptr());
                } else {
                    let gate = L::load_first(gate.as_ptr(), n);
                    let up = L::load_first(up.as_ptr(), n);
                    let dy = L::load_first(dy.as_ptr(), n);
                    let (by_gate, by_up) = gradients::<L, GELU>(gate, up, dy);
                    by_gate.store_first(dgate.as_mut_ptr(), n);
                    by_up.store_first(dup.as_mut_ptr(), n);
                }
            }
        }
    }
}

/// Gradients by gate and up. With `s = sigmoid(v)` and `a = x · s`, the slope `a'` is `s + a · (1 - s) · v'`: `v` is `x`,
/// or for GELU `2u` as in the forward kernel, with `v' = LINEAR + 3 · CUBIC · x²`.
///
/// # Safety
///
/// As [`Kernel::run`].
#[inline(always)]
unsafe fn gradients<L: Lanes, const GELU: bool>(x: L, up: L, dy: L) -> (L, L) {
    // SAFETY: passed on.
    unsafe {
        let (zero, one) = (L::splat(0.0), L::splat(1.0));
        // Far out the slope is 0 or 1; a bound keeps the powers of GELU finite there.
        let near = if GELU { L::splat(-1e4).max(L::splat(1e4).min(x)) } else { x };
        let square = near.mul(near);
        let minus_v = if GELU {
            zero.sub(near).mul(square.mul_add(L::splat(CUBIC), L::splat(LINEAR)))
        } else {
            zero.sub(x)
        };
        // `1 - s = e^-v · s`, without the cancellation; the exponential is bounded so that zero times it stays zero.
        let e = exp(L::splat(80.0).min(minus_v));
        let s = one.div(e.add(one));
        let activated = x.mul(s);
        let rest = if GELU {
            e.mul(s).mul(square.mul_add(L::splat(3.0 * CUBIC), L::splat(LINEAR)))
        } else {
            e.mul(s)
        };
        let slope = activated.mul_add(rest, s);
        (dy.mul(up).mul(slope), dy.mul(activated))
    }
}
