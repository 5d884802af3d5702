#![expect(unsafe_code, reason = "vector instructions on pointers")]

use crate::decoder::kv_cache::Stored;
use crate::lanes::{LANES, Lanes};

/// Rows of a tile of sums at most.
const ROWS: usize = 6;

/// The second factor, columns in blocks of 16: line `d` of block `b` begins at `d · line + b · block`.
///
/// Blocks of keys are one (a line is a dimension of 16 keys), rows of values another (a line is a token's value).
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks<T> {
    pub(super) numbers: *const T,
    pub(super) line: usize,
    pub(super) block: usize,
    pub(super) count: usize,
    /// Lines: terms of a sum.
    pub(super) depth: usize,
}

/// Rows of f32, the first factor or the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<P> {
    pub(super) values: P,
    pub(super) stride: usize,
}

/// `out[r][c] = Σ_d rows[r][d] · blocks[d][c]`, or with `factors`, `out[r][c] = factors[r] · out[r][c] + Σ …`.
///
/// A sum is taken in the order of `d`, from zero, whatever the number of rows and blocks.
///
/// # Safety
///
/// As [`crate::lanes::Kernel::run`]; `n_rows` rows of `depth` values, that many factors where there are any, and
/// as many rows of `16 · count` results.
#[inline(always)]
pub(super) unsafe fn product<L: Lanes, T: Stored>(
    rows: Rows<*const f32>,
    n_rows: usize,
    blocks: &Blocks<T>,
    factors: Option<*const f32>,
    out: Rows<*mut f32>,
) {
    // As many blocks as leave room for the rows: the fewer the rows, the more blocks.
    let wide = match n_rows.min(ROWS) {
        0 => return,
        n if n * 4 <= L::SUMS => 4,
        n if n * 2 <= L::SUMS => 2,
        _ => 1,
    };
    let mut b = 0;
    while b < blocks.count {
        let left = blocks.count - b;
        let width = if wide == 4 && left >= 4 { 4 } else { wide.min(left).min(2) };
        // Groups of about the same size: 7 rows are 4 and 3.
        let most = ROWS.min(L::SUMS / width).max(1);
        let group = n_rows.div_ceil(n_rows.div_ceil(most));
        let mut r = 0;
        while r < n_rows {
            let n = group.min(n_rows - r);
            // SAFETY: rows and blocks are among those that the caller vouches for.
            unsafe {
                let tile = Tile {
                    rows: rows.values.add(r * rows.stride),
                    row_stride: rows.stride,
                    numbers: blocks.numbers.add(b * blocks.block),
                    line: blocks.line,
                    block: blocks.block,
                    depth: blocks.depth,
                    factors: factors.map(|factors| factors.add(r)),
                    out: out.values.add(r * out.stride + b * LANES),
                    out_stride: out.stride,
                };
                match width {
                    4 => tile.rows::<L, 4>(n),
                    2 => tile.rows::<L, 2>(n),
                    _ => tile.rows::<L, 1>(n),
                }
            }
            r += n;
        }
        b += width;
    }
}

/// A few rows by a few blocks, whose sums stay in registers.
struct Tile<T> {
    rows: *const f32,
    row_stride: usize,
    numbers: *const T,
    line: usize,
    block: usize,
    depth: usize,
    factors: Option<*const f32>,
    out: *mut f32,
    out_stride: usize,
}

impl<T: Stored> Tile<T> {
    /// # Safety
    ///
    /// As [`product`], `n` rows and `C` blocks.
    #[inline(always)]
    unsafe fn rows<L: Lanes, const C: usize>(&self, n: usize) {
        // SAFETY: passed on.
        unsafe {
            match n {
                1 => self.sums::<L, 1, C>(),
                2 => self.sums::<L, 2, C>(),
                3 => self.sums::<L, 3, C>(),
                4 => self.sums::<L, 4, C>(),
                5 => self.sums::<L, 5, C>(),
                _ => self.sums::<L, ROWS, C>(),
            }
        }
    }

    /// # Safety
    ///
    /// As [`product`], `R` rows and `C` blocks.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "indices keep the vectors in registers")]
    unsafe fn sums<L: Lanes, const R: usize, const C: usize>(&self) {
        // Larger ones are never called; this keeps them out of the program.
        if R > 1 && R * C > L::SUMS {
            return;
        }
        // SAFETY: passed on.
        unsafe {
            let mut sums = [[L::splat(0.0); C]; R];
            for d in 0..self.depth {
                let line = self.numbers.add(d * self.line);
                let mut vectors = [L::splat(0.0); C];
                for c in 0..C {
                    vectors[c] = T::load::<L>(line.add(c * self.block));
                }
                for r in 0..R {
                    let factor = L::splat(*self.rows.add(r * self.row_stride + d));
                    for c in 0..C {
                        sums[r][c] = factor.mul_add(vectors[c], sums[r][c]);
                    }
                }
            }
            for r in 0..R {
                for c in 0..C {
                    let out = self.out.add(r * self.out_stride + c * LANES);
                    match self.factors {
                        None => sums[r][c].store(out),
                        Some(factors) => {
                            L::load(out).mul_add(L::splat(*factors.add(r)), sums[r][c]).store(out);
                        }
                    }
                }
            }
        }
    }
}
