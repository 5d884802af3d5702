#![expect(unsafe_code, reason = "loops over vectors")]

use crate::cpu_features::Isa;
use crate::lanes::{Kernel, LANES, Lanes, run_on};
use crate::rows::for_rows;

/// Vectors of squares that are summed apart: a sum of 576 has nine terms in each lane.
const SUMS: usize = 4;

/// Root mean square norm of each row: `x / √(mean(x²) + eps) · weight`.
///
/// `x` and `out` are `[rows, weight.len()]`. The mean is taken in f32, over 64 partial sums.
///
/// Source: Zhang and Sennrich (2019).
///
/// # Panics
///
/// Where `x` and `out` differ in length.
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    norm(Isa::detected(), x, weight, eps, out);
}

/// [`rms_norm`] with the instructions of `isa`.
pub(super) fn norm(isa: Isa, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    assert_eq!(x.len(), out.len());
    let width = weight.len().max(1);
    for_rows(out, width, &|first, out| {
        let x = &x[first * width..][..out.len()];
        run_on(isa, Norm { x, weight, eps, out });
    });
}

struct Norm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    out: &'a mut [f32],
}

impl Kernel for Norm<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let width = self.weight.len().max(1);
        for (x, out) in self.x.chunks_exact(width).zip(self.out.chunks_exact_mut(width)) {
            // SAFETY: passed on.
            unsafe {
                let mean = sum_of_squares::<L>(x) / width as f32;
                let factor = L::splat(1.0 / (mean + self.eps).sqrt());
                for start in (0..self.weight.len()).step_by(LANES) {
                    let n = LANES.min(width - start);
                    let (x, weight) = (&x[start..start + n], &self.weight[start..start + n]);
                    let out = &mut out[start..start + n];
                    if n == LANES {
                        let scaled = L::load(x.as_ptr()).mul(factor);
                        scaled.mul(L::load(weight.as_ptr())).store(out.as_mut_ptr());
                    } else {
                        let scaled = L::load_first(x.as_ptr(), n).mul(factor);
                        let weight = L::load_first(weight.as_ptr(), n);
                        scaled.mul(weight).store_first(out.as_mut_ptr(), n);
                    }
                }
            }
        }
    }
}

/// # Safety
///
/// As [`Kernel::run`].
#[inline(always)]
pub(super) unsafe fn sum_of_squares<L: Lanes>(x: &[f32]) -> f32 {
    // SAFETY: passed on; chunks have the lengths given.
    unsafe {
        let mut sums = [L::splat(0.0); SUMS];
        let chunks = x.chunks_exact(SUMS * LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for i in 0..SUMS {
                let x = L::load(chunk[i * LANES..(i + 1) * LANES].as_ptr());
                sums[i] = x.mul_add(x, sums[i]);
            }
        }
        for (i, chunk) in rest.chunks(LANES).enumerate() {
            let x = L::load_first(chunk.as_ptr(), chunk.len());
            sums[i] = x.mul_add(x, sums[i]);
        }
        sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum()
    }
}
