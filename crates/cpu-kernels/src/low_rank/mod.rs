//! The low-rank part of a projection, beside a frozen product: `y += scaling · (x · Aᵀ) · Bᵀ`, and its gradients.
//!
//! Source: Hu et al. (2021), LoRA.

#![expect(unsafe_code, reason = "threads write disjoint rows")]

mod backward;
mod dropout;
#[cfg(test)]
mod tests;

pub use backward::low_rank_backward;
use dropout::Mask;
pub use dropout::{LowRankDropout, dropout_mask};

use crate::cpu_features::Isa;
use crate::parallel::parallel_parts;
use crate::scratch::{Disjoint, Scratch};
use crate::small_product::{Left, Right, Sums, small_product};
use crate::transpose::transpose_all;

/// Rows that one thread takes at a time.
const ROWS: usize = 32;

/// Multiplications below which threads cost more than they bring.
const WORTH_THREADS: usize = 500_000;

/// `low = x · Aᵀ`, overwritten, and `y += scaling · low · Bᵀ`.
///
/// `x` is `[m, k]`, `a` `[rank, k]`, `b` `[n, rank]`, `low` `[m, rank]`, `y` `[m, n]`. With `dropout` the adapter sees
/// `x` times the mask; `low` is what a backward pass needs in either case.
///
/// # Panics
///
/// Where a length does not fit these shapes, `rank` is 0, or the dropout's probability is not from 0 to 1.
#[expect(clippy::too_many_arguments, reason = "operands and sizes of two products")]
pub fn low_rank_add(
    x: &[f32],
    m: usize,
    a: &[f32],
    b: &[f32],
    rank: usize,
    scaling: f32,
    dropout: Option<LowRankDropout>,
    low: &mut [f32],
    y: &mut [f32],
) {
    add(Isa::detected(), x, m, Adapter::new(a, b, rank, scaling, dropout), low, y);
}

/// The two matrices of an adapter.
#[derive(Clone, Copy, Debug)]
struct Adapter<'a> {
    a: &'a [f32],
    b: &'a [f32],
    rank: usize,
    /// Inputs.
    k: usize,
    /// Outputs.
    n: usize,
    scaling: f32,
    mask: Option<Mask>,
}

impl<'a> Adapter<'a> {
    fn new(
        a: &'a [f32],
        b: &'a [f32],
        rank: usize,
        scaling: f32,
        dropout: Option<LowRankDropout>,
    ) -> Self {
        assert!(rank > 0, "an adapter of rank 0");
        let whole = a.len().is_multiple_of(rank) && b.len().is_multiple_of(rank);
        assert!(whole, "matrices of {} and {} values have no rank {rank}", a.len(), b.len());
        let mask = dropout.filter(|dropout| dropout.probability != 0.0).map(Mask::new);
        Self { a, b, rank, k: a.len() / rank, n: b.len() / rank, scaling, mask }
    }

    fn assert_rows(&self, m: usize, x: &[f32], low: &[f32], y: &[f32]) {
        let of = |len: usize| m.checked_mul(len);
        assert_eq!(Some(x.len()), of(self.k), "inputs of {m} rows of {}", self.k);
        assert_eq!(Some(low.len()), of(self.rank), "{m} rows of rank {}", self.rank);
        assert_eq!(Some(y.len()), of(self.n), "outputs of {m} rows of {}", self.n);
    }

    /// Whether threads help with `m` rows.
    fn worth_threads(&self, m: usize) -> bool {
        m * self.rank * (self.k + self.n) >= WORTH_THREADS
    }
}

/// Calls `part` for each number below `parts`, several at a time where that is worth it.
fn run_parts(threads: bool, parts: usize, part: &(dyn Fn(usize) + Sync)) {
    if threads { parallel_parts(parts, part) } else { (0..parts).for_each(part) }
}

/// [`low_rank_add`] with the instructions of `isa`.
fn add(isa: Isa, x: &[f32], m: usize, of: Adapter<'_>, low: &mut [f32], y: &mut [f32]) {
    of.assert_rows(m, x, low, y);
    let Adapter { a, b, rank, k, n, .. } = of;
    if m == 0 {
        return;
    }
    let mut transposed = Scratch::shared(rank * (k + n));
    let (a_columns, b_columns) = transposed.floats().split_at_mut(rank * k);
    transpose_all(isa, a, k, (rank, k), a_columns, rank);
    transpose_all(isa, b, rank, (n, rank), b_columns, n);
    let (a_columns, b_columns) = (&*a_columns, &*b_columns);
    let (low, y) = (Disjoint::new(low), Disjoint::new(y));
    run_parts(of.worth_threads(m), m.div_ceil(ROWS), &|part| {
        let row = part * ROWS;
        let rows = ROWS.min(m - row);
        let x = &x[row * k..(row + rows) * k];
        // SAFETY: parts have rows of their own.
        let (low, y) = unsafe { (low.slice(row * rank, rows * rank), y.slice(row * n, rows * n)) };
        let mut masked = Scratch::new(if of.mask.is_some() { x.len() } else { 0 });
        let x = match of.mask {
            None => x,
            Some(mask) => {
                let masked = masked.floats();
                masked.copy_from_slice(x);
                mask.multiply(isa, (row, 0), k, None, masked);
                masked
            }
        };
        small_product(
            isa,
            (rows, rank, k),
            Left { values: x, row: k, term: 1 },
            Right { values: a_columns, term: rank, block: 16 },
            Sums { values: low, row: rank, factor: 1.0, add: false },
        );
        small_product(
            isa,
            (rows, n, rank),
            Left { values: low, row: rank, term: 1 },
            Right { values: b_columns, term: n, block: 16 },
            Sums { values: y, row: n, factor: of.scaling, add: true },
        );
    });
}
