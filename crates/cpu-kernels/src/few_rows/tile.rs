//! Rows of weights times rows of `x`.
//!
//! An output is a sum over two vectors, the even and the odd ones of the row, always in the same order: neither the tile
//! nor the number of rows of `x` changes a bit of it.

use super::format::{Format, Row};
use super::inputs::STEP;
use super::lanes::Lanes;

/// Rows of weights that are multiplied together, so that one load of `x` serves all.
pub(super) const GROUP: usize = 4;
/// How far ahead of its use a weight is asked for, in bytes.
const AHEAD: usize = 4096;
const LINE: usize = 64;

/// What a group of rows is multiplied by, and where the products go.
#[derive(Clone, Copy)]
pub(super) struct Operands {
    /// `[m, stride]`, in the format's order, zeros behind `k`.
    pub(super) x: *const f32,
    /// Values from one row of `x` to the next.
    pub(super) stride: usize,
    /// Rows of `x`.
    pub(super) m: usize,
    /// `[m, n]`; the column of the group's first row.
    pub(super) out: *mut f32,
    /// Values from one row of outputs to the next.
    pub(super) n: usize,
}

/// A group of rows of weights, each as one or two runs of steps.
#[derive(Clone, Copy)]
pub(super) struct Group<'a> {
    /// Rows and their whole steps; then, where a row ends within a step, a copy of its end filled with zeros.
    pub(super) runs: &'a [([Row; GROUP], usize)],
    /// What the sums are multiplied by.
    pub(super) factors: [f32; GROUP],
    /// Outputs that are wanted; where fewer than [`GROUP`], the last rows stand for nothing.
    pub(super) wanted: usize,
}

/// The products of a group with every row of `x`.
///
/// # Safety
/// As [`Lanes`] and [`Format::unpack`]; `operands` must be good for all that they say.
#[inline(always)]
pub(super) unsafe fn products<L: Lanes, F: Format>(operands: Operands, group: Group<'_>) {
    // Outputs of one row of weights lie far apart; by the time that a line is written it is there.
    for i in 0..operands.m {
        // SAFETY: as the caller has it; any address will do.
        unsafe { L::prefetch(operands.out.wrapping_add(i * operands.n + LINE / 4).cast()) };
    }
    let mut i = 0;
    while i < operands.m {
        // SAFETY: as the caller has it; row `i` of `x` and as many more as are asked for are there.
        unsafe {
            i += match operands.m - i {
                8.. if L::MANY => {
                    for r in 0..group.wanted {
                        tile::<L, F, 1, 8>(operands, group, i, r);
                    }
                    8
                }
                4.. if L::MANY => {
                    tile::<L, F, 2, 4>(operands, group, i, 0);
                    tile::<L, F, 2, 4>(operands, group, i, 2);
                    4
                }
                2.. => {
                    tile::<L, F, 2, 2>(operands, group, i, 0);
                    tile::<L, F, 2, 2>(operands, group, i, 2);
                    2
                }
                _ => {
                    tile::<L, F, 4, 1>(operands, group, i, 0);
                    1
                }
            }
        }
    }
}

/// Rows `at .. at + R` of weights times rows `i .. i + M` of `x`.
#[inline(always)]
unsafe fn tile<L: Lanes, F: Format, const R: usize, const M: usize>(
    operands: Operands,
    group: Group<'_>,
    i: usize,
    at: usize,
) {
    // SAFETY: the caller has these rows of `x`, weights and outputs.
    unsafe {
        let mut x = operands.x.add(i * operands.stride);
        let mut sums = [[[L::zero(); 2]; M]; R];
        for (rows, steps) in group.runs {
            let rows: [Row; R] = std::array::from_fn(|r| rows[at + r]);
            for step in 0..*steps {
                for row in rows {
                    let ahead = row.values.wrapping_add(step * F::BYTES + AHEAD);
                    for line in 0..F::BYTES.div_ceil(LINE) {
                        L::prefetch(ahead.wrapping_add(line * LINE));
                    }
                }
                multiply::<L, F, R, M>(&mut sums, x, operands.stride, rows, step);
                x = x.add(STEP);
            }
        }
        for (r, sums) in sums.iter().enumerate().take(group.wanted.saturating_sub(at)) {
            for (j, [even, odd]) in sums.iter().enumerate() {
                let out = operands.out.add((i + j) * operands.n + at + r);
                *out = even.add(*odd).sum() * group.factors[at + r];
            }
        }
    }
}

/// Adds the products of one step.
#[inline(always)]
unsafe fn multiply<L: Lanes, F: Format, const R: usize, const M: usize>(
    sums: &mut [[[L; 2]; M]; R],
    x: *const f32,
    stride: usize,
    rows: [Row; R],
    step: usize,
) {
    // SAFETY: the caller has the step of each row, and of `x`.
    unsafe {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let w = F::unpack::<L>(row, step);
            for (j, [even, odd]) in sums.iter_mut().enumerate() {
                let x = x.add(j * stride);
                *even = even.fma(w[0], L::load(x));
                *odd = odd.fma(w[1], L::load(x.add(16)));
                *even = even.fma(w[2], L::load(x.add(32)));
                *odd = odd.fma(w[3], L::load(x.add(48)));
            }
        }
    }
}
