#![expect(unsafe_code, reason = "loops over vectors")]

//! Exponential and hyperbolic tangent of vectors.
//!
//! Coefficients are minimax for the relative error, found by Lawson's weighted least squares in f64 and rounded to f32.

use crate::lanes::{Lanes, ROUNDS};

/// `e^x`, relative error below 2e-7; zero below -87.7, infinity above 88.4, NaN of NaN.
///
/// `x = n · ln 2 + r`; `2^n` is made of bits, `e^r` is a polynomial of degree 6 (3.1e-9 before rounding).
///
/// # Safety
///
/// As [`crate::lanes::Kernel::run`].
#[inline(always)]
pub(crate) unsafe fn exp<L: Lanes>(x: L) -> L {
    // SAFETY: passed on.
    unsafe {
        let x = L::splat(-88.0).max(L::splat(89.0).min(x));
        let rounded = x.mul_add(L::splat(std::f32::consts::LOG2_E), L::splat(ROUNDS));
        let n = rounded.sub(L::splat(ROUNDS));
        // ln 2 in two parts, the first short enough for exact products.
        let r = n.mul_add(L::splat(-0.693_359_4), x);
        let r = n.mul_add(L::splat(2.121_944_4e-4), r);
        let series = L::splat(0.001_381_459_9);
        let series = series.mul_add(r, L::splat(0.008_368_717));
        let series = series.mul_add(r, L::splat(0.041_668_39));
        let series = series.mul_add(r, L::splat(0.166_665_21));
        let series = series.mul_add(r, L::splat(0.499_999_94));
        let series = series.mul_add(r, L::splat(1.0));
        let series = series.mul_add(r, L::splat(1.0));
        series.mul(rounded.power_of_two())
    }
}

/// Hyperbolic tangent, relative error below 4e-7.
///
/// A polynomial up to 0.625, where the exponential would cancel; beyond it `1 - 2 / (e^2x + 1)`.
///
/// # Safety
///
/// As [`crate::lanes::Kernel::run`].
#[inline(always)]
pub(crate) unsafe fn tanh<L: Lanes>(x: L) -> L {
    // SAFETY: passed on.
    unsafe {
        let square = x.mul(x);
        let series = L::splat(-0.005_704_982);
        let series = series.mul_add(square, L::splat(0.020_639_082));
        let series = series.mul_add(square, L::splat(-0.053_739_715));
        let series = series.mul_add(square, L::splat(0.133_314_42));
        let series = series.mul_add(square, L::splat(-0.333_332_8));
        let near = series.mul(square).mul_add(x, x);
        let one = L::splat(1.0);
        let far = one.sub(L::splat(2.0).div(exp(x.add(x)).add(one)));
        square.select_below(L::splat(0.625 * 0.625), near, far)
    }
}
