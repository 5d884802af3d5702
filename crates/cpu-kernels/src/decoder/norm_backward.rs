#![expect(unsafe_code, reason = "loops over vectors")]

use super::norm::sum_of_squares;
use crate::cpu_features::Isa;
use crate::lanes::{Kernel, LANES, Lanes, run_on};
use crate::parallel::parallel_parts;
use crate::rows::for_rows;
use crate::scratch::{Disjoint, Scratch};

/// Vectors that are summed apart.
const SUMS: usize = 4;

/// Rows whose contributions to a weight are added up before they join the sum of those before them.
const ROWS: usize = 64;

/// Columns of the weight that one thread takes at a time.
const COLS: usize = 4 * LANES;

/// Values below which threads cost more than they bring.
const WORTH_THREADS: usize = 32 * 1024;

/// The gradient of [`rms_norm`](super::rms_norm), whose result is `x · f · weight` with `f = 1 / √(mean(x²) + eps)`:
/// `dx = f · (weight · dy - x · f² · mean(weight · dy · x))`, overwritten, and, where it is asked for, `dweight`, the sum
/// of `dy · x · f` over the rows, overwritten, too.
///
/// `x`, `dy` and `dx` are `[rows, weight.len()]`.
///
/// # Panics
///
/// Where `x`, `dy` and `dx`, or `weight` and `dweight`, differ in length, or `x` is not whole rows.
pub fn rms_norm_backward(
    x: &[f32],
    weight: &[f32],
    eps: f32,
    dy: &[f32],
    dx: &mut [f32],
    dweight: Option<&mut [f32]>,
) {
    norm_backward(Isa::detected(), x, weight, eps, dy, dx, dweight);
}

/// [`rms_norm_backward`] with the instructions of `isa`.
pub(super) fn norm_backward(
    isa: Isa,
    x: &[f32],
    weight: &[f32],
    eps: f32,
    dy: &[f32],
    dx: &mut [f32],
    dweight: Option<&mut [f32]>,
) {
    assert_eq!((x.len(), dy.len()), (dx.len(), dx.len()));
    let width = weight.len().max(1);
    assert!(x.len().is_multiple_of(width), "{} values are no rows of {width}", x.len());
    let rows = x.len() / width;
    let mut factors = Scratch::shared(rows);
    let factors = factors.floats();
    let shared = Disjoint::new(factors);
    for_rows(dx, width, &|first, dx| {
        let of_part = first * width..first * width + dx.len();
        let (x, dy) = (&x[of_part.clone()], &dy[of_part]);
        // SAFETY: parts of `dx` are disjoint, and so are their rows.
        let factors = unsafe { shared.slice(first, dx.len() / width) };
        run_on(isa, RowGradients { x, weight, eps, dy, dx, factors });
    });
    let Some(dweight) = dweight else { return };
    assert_eq!(dweight.len(), weight.len());
    let (factors, len) = (&*factors, dweight.len());
    let dweight = Disjoint::new(dweight);
    let part = |i: usize| {
        let col = i * COLS;
        // SAFETY: parts are disjoint.
        let out = unsafe { dweight.slice(col, COLS.min(len - col)) };
        run_on(isa, WeightGradient { x, dy, factors, width, col, out });
    };
    let parts = len.div_ceil(COLS);
    if x.len() < WORTH_THREADS { (0..parts).for_each(part) } else { parallel_parts(parts, &part) }
}

/// `dx` of some rows, and their factors `f`.
struct RowGradients<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    dy: &'a [f32],
    dx: &'a mut [f32],
    factors: &'a mut [f32],
}

impl Kernel for RowGradients<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let width = self.weight.len().max(1);
        let rows = self.x.chunks_exact(width).zip(self.dy.chunks_exact(width));
        let to = self.dx.chunks_exact_mut(width).zip(self.factors);
        for ((x, dy), (dx, row_factor)) in rows.zip(to) {
            // SAFETY: passed on; vectors are within rows, which are all of one width.
            unsafe {
                let mean = sum_of_squares::<L>(x) / width as f32;
                let factor = 1.0 / (mean + self.eps).sqrt();
                *row_factor = factor;
                let projection = sum_of_products::<L>(x, dy, self.weight) / width as f32;
                let shrink = L::splat(-factor * factor * projection);
                let factor = L::splat(factor);
                for start in (0..self.weight.len()).step_by(LANES) {
                    let n = LANES.min(width - start);
                    let range = start..start + n;
                    let (x, dy) = (&x[range.clone()], &dy[range.clone()]);
                    let (weight, dx) = (&self.weight[range.clone()], &mut dx[range]);
                    if n == LANES {
                        let (x, dy) = (L::load(x.as_ptr()), L::load(dy.as_ptr()));
                        let scaled = dy.mul(L::load(weight.as_ptr()));
                        x.mul_add(shrink, scaled).mul(factor).store(dx.as_mut_ptr());
                    } else {
                        let x = L::load_first(x.as_ptr(), n);
                        let scaled = L::load_first(dy.as_ptr(), n);
                        let scaled = scaled.mul(L::load_first(weight.as_ptr(), n));
                        x.mul_add(shrink, scaled).mul(factor).store_first(dx.as_mut_ptr(), n);
                    }
                }
            }
        }
    }
}

/// `Σ x · dy · weight`.
///
/// # Safety
///
/// As [`Kernel::run`]; all three are equally long.
#[inline(always)]
unsafe fn sum_of_products<L: Lanes>(x: &[f32], dy: &[f32], weight: &[f32]) -> f32 {
    // SAFETY: passed on.
    unsafe {
        let mut sums = [L::splat(0.0); SUMS];
        let (whole, n) = (x.len() / LANES, x.len() % LANES);
        let mut at = 0;
        for i in 0..whole {
            let scaled = L::load(dy.as_ptr().add(at)).mul(L::load(weight.as_ptr().add(at)));
            sums[i % SUMS] = L::load(x.as_ptr().add(at)).mul_add(scaled, sums[i % SUMS]);
            at += LANES;
        }
        if n > 0 {
            let weight = L::load_first(weight.as_ptr().add(at), n);
            let scaled = L::load_first(dy.as_ptr().add(at), n).mul(weight);
            let x = L::load_first(x.as_ptr().add(at), n);
            sums[whole % SUMS] = x.mul_add(scaled, sums[whole % SUMS]);
        }
        sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum()
    }
}

/// `dweight` of some columns, over all rows in their order.
struct WeightGradient<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    factors: &'a [f32],
    width: usize,
    /// The first column.
    col: usize,
    out: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        for (i, out) in self.out.chunks_mut(LANES).enumerate() {
            let (n, col) = (out.len(), self.col + i * LANES);
            // SAFETY: columns of the out are columns of every row.
            unsafe {
                let mut total = L::splat(0.0);
                for (block, factors) in self.factors.chunks(ROWS).enumerate() {
                    let mut sum = L::splat(0.0);
                    for (row, &factor) in factors.iter().enumerate() {
                        let at = (block * ROWS + row) * self.width + col;
                        let (x, dy) = (self.x.as_ptr().add(at), self.dy.as_ptr().add(at));
                        let (x, dy) = if n == LANES {
                            (L::load(x), L::load(dy))
                        } else {
                            (L::load_first(x, n), L::load_first(dy, n))
                        };
                        sum = x.mul(L::splat(factor)).mul_add(dy, sum);
                    }
                    total = total.add(sum);
                }
                total.store_first(out.as_mut_ptr(), n);
            }
        }
    }
}
