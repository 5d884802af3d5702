#![expect(unsafe_code, reason = "vector instructions on pointers")]

//! Products of small or narrow f32 matrices, whose factors lie in any order: sums stay in registers.
//!
//! One Zen 5 core that does 250 GFLOP/s in registers reaches 190 to 205 in the products of an adapter of rank 16 (512 rows of
//! SmolLM2-135M), 205 to 235 at rank 64, and 190 to 205 in the gradients of attention; `examples/training.rs` measures it.

#[cfg(test)]
mod tests;

use crate::cpu_features::Isa;
use crate::lanes::{Kernel, LANES, Lanes, run_on};

/// Terms that are summed up in registers before they are added to the result: factors of so many stay in the caches,
/// and sums of many thousands keep their precision.
const TERMS: usize = 256;

/// Rows of sums at most, by the number of their vectors.
const ROWS_OF: [usize; 5] = [0, 12, 12, 0, 6];

/// The first factor: term `d` of row `r` is at `r · row + d · term`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row: usize,
    pub(crate) term: usize,
}

/// The second factor: term `d` of column `c` is at `d · term + c / 16 · block + c % 16`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Right<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) term: usize,
    pub(crate) block: usize,
}

/// The result: column `c` of row `r` is at `r · row + c`.
#[derive(Debug)]
pub(crate) struct Sums<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) row: usize,
    /// What sums are multiplied by.
    pub(crate) factor: f32,
    /// Whether they are added to what is there.
    pub(crate) add: bool,
}

/// `sums[r][c] = factor · Σ_d left[r][d] · right[d][c]`, or the same added, for `rows × cols` sums of `terms` terms.
///
/// A sum is taken in blocks of 256 terms, each in the order of `d` from zero, whatever the number of rows and columns.
///
/// # Panics
///
/// Where a factor or the result is shorter than that.
pub(crate) fn small_product(
    isa: Isa,
    (rows, cols, terms): (usize, usize, usize),
    left: Left<'_>,
    right: Right<'_>,
    sums: Sums<'_>,
) {
    if rows == 0 || cols == 0 {
        return;
    }
    let end_of_row = (rows - 1) * sums.row + cols;
    assert!(sums.values.len() >= end_of_row);
    if terms == 0 {
        if !sums.add {
            sums.values
                .chunks_mut(sums.row.max(1))
                .take(rows)
                .for_each(|row| row[..cols].fill(0.0));
        }
        return;
    }
    assert!(left.values.len() > (rows - 1) * left.row + (terms - 1) * left.term);
    let last = (cols - 1) / LANES;
    assert!(
        right.values.len() >= (terms - 1) * right.term + last * right.block + cols - last * LANES
    );
    run_on(isa, Product { rows, cols, terms, left, right, sums });
}

struct Product<'a> {
    rows: usize,
    cols: usize,
    terms: usize,
    left: Left<'a>,
    right: Right<'a>,
    sums: Sums<'a>,
}

impl Kernel for Product<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { rows, cols, terms, left, right, sums } = self;
        let to = sums.values.as_mut_ptr();
        let mut first = 0;
        while first < terms {
            let mut col = 0;
            while col < cols {
                // As many columns as leave room for several rows.
                let vectors = match (cols - col) / LANES {
                    4.. if L::SUMS >= 16 && rows > 1 => 4,
                    2.. if L::SUMS >= 6 => 2,
                    _ => 1,
                };
                let n_cols = (vectors * LANES).min(cols - col);
                let most = ROWS_OF[vectors].min(L::SUMS / vectors).max(1);
                // Groups of about the same size: 16 rows are 6, 5 and 5.
                let groups = rows.div_ceil(most);
                let mut row = 0;
                for i in 0..groups {
                    let n = (rows - row).div_ceil(groups - i);
                    // SAFETY: the caller has checked the lengths.
                    unsafe {
                        let tile = Tile {
                            left: left.values.as_ptr().add(row * left.row + first * left.term),
                            left_row: left.row,
                            left_term: left.term,
                            right: right
                                .values
                                .as_ptr()
                                .add(first * right.term + col / LANES * right.block),
                            right_term: right.term,
                            right_block: right.block,
                            terms: TERMS.min(terms - first),
                            n_cols,
                            sums: to.add(row * sums.row + col),
                            sums_row: sums.row,
                            factor: sums.factor,
                            add: sums.add || first > 0,
                        };
                        match vectors {
                            4 => tile.wide::<L>(n),
                            2 => tile.rows::<L, 2, false>(n),
                            _ if n_cols == LANES => tile.rows::<L, 1, false>(n),
                            _ => tile.rows::<L, 1, true>(n),
                        }
                    }
                    row += n;
                }
                col += n_cols;
            }
            first += TERMS;
        }
    }
}

/// A few rows by a few vectors of columns.
struct Tile {
    left: *const f32,
    left_row: usize,
    left_term: usize,
    right: *const f32,
    right_term: usize,
    right_block: usize,
    terms: usize,
    n_cols: usize,
    sums: *mut f32,
    sums_row: usize,
    factor: f32,
    add: bool,
}

impl Tile {
    /// # Safety
    ///
    /// As [`Kernel::run`]; `n` rows of four vectors.
    #[inline(always)]
    unsafe fn wide<L: Lanes>(&self, n: usize) {
        // SAFETY: passed on.
        unsafe {
            match n {
                1 => self.sums::<L, 1, 4, false>(),
                2 => self.sums::<L, 2, 4, false>(),
                3 => self.sums::<L, 3, 4, false>(),
                4 => self.sums::<L, 4, 4, false>(),
                5 => self.sums::<L, 5, 4, false>(),
                _ => self.sums::<L, 6, 4, false>(),
            }
        }
    }

    /// # Safety
    ///
    /// As [`Kernel::run`]; `n` rows of `C` vectors.
    #[inline(always)]
    unsafe fn rows<L: Lanes, const C: usize, const TAIL: bool>(&self, n: usize) {
        // SAFETY: passed on.
        unsafe {
            match n {
                1 => self.sums::<L, 1, C, TAIL>(),
                2 => self.sums::<L, 2, C, TAIL>(),
                3 => self.sums::<L, 3, C, TAIL>(),
                4 => self.sums::<L, 4, C, TAIL>(),
                5 => self.sums::<L, 5, C, TAIL>(),
                6 => self.sums::<L, 6, C, TAIL>(),
                7 => self.sums::<L, 7, C, TAIL>(),
                8 => self.sums::<L, 8, C, TAIL>(),
                9 => self.sums::<L, 9, C, TAIL>(),
                10 => self.sums::<L, 10, C, TAIL>(),
                11 => self.sums::<L, 11, C, TAIL>(),
                _ => self.sums::<L, 12, C, TAIL>(),
            }
        }
    }

    /// With `TAIL` the one vector is not whole.
    ///
    /// # Safety
    ///
    /// As [`Kernel::run`]; `R` rows of `C` vectors.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "indices keep the vectors in registers")]
    unsafe fn sums<L: Lanes, const R: usize, const C: usize, const TAIL: bool>(&self) {
        // Larger ones are never called; this keeps them out of the program.
        if R > 1 && R * C > L::SUMS {
            return;
        }
        // SAFETY: passed on.
        unsafe {
            let mut sums = [[L::splat(0.0); C]; R];
            let mut left = self.left;
            let mut line = self.right;
            for _ in 0..self.terms {
                let mut vectors = [L::splat(0.0); C];
                for c in 0..C {
                    vectors[c] = if TAIL {
                        L::load_first(line, self.n_cols)
                    } else {
                        L::load(line.add(c * self.right_block))
                    };
                }
                for r in 0..R {
                    let factor = L::splat(*left.add(r * self.left_row));
                    for c in 0..C {
                        sums[r][c] = factor.mul_add(vectors[c], sums[r][c]);
                    }
                }
                left = left.wrapping_add(self.left_term);
                line = line.wrapping_add(self.right_term);
            }
            let factor = L::splat(self.factor);
            for r in 0..R {
                for c in 0..C {
                    let to = self.sums.add(r * self.sums_row + c * LANES);
                    let old = match (self.add, TAIL) {
                        (false, _) => L::splat(0.0),
                        (true, false) => L::load(to),
                        (true, true) => L::load_first(to, self.n_cols),
                    };
                    let new = sums[r][c].mul_add(factor, old);
                    if TAIL {
                        new.store_first(to, self.n_cols);
                    } else {
                        new.store(to);
                    }
                }
            }
        }
    }
}
