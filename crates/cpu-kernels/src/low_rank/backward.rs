#![expect(unsafe_code, reason = "threads write disjoint parts of the gradients")]

use super::{Adapter, LowRankDropout, ROWS, run_parts};
use crate::cpu_features::Isa;
use crate::scratch::{Disjoint, Scratch};
use crate::small_product::{Left, Right, Sums, small_product};

/// Columns of `a` that one thread takes at a time.
const A_COLS: usize = 64;

/// Rows of `b` that one thread takes at a time.
const B_ROWS: usize = 48;

/// Rows whose inputs are masked at once.
const MASKED_ROWS: usize = 256;

/// Gradients of [`low_rank_add`](super::low_rank_add): with `dlow = scaling · dy · B`, `dx += dlow · A`, and, overwritten,
/// `da = dlowᵀ · x` and `db = scaling · dyᵀ · low`.
///
/// `dy` is `[m, n]`, `dx` `[m, k]`, `da` `[rank, k]`, `db` `[n, rank]`; `x`, `low`, `scaling` and `dropout` are those of the
/// forward call. With dropout `x` and what is added to `dx` are multiplied by its mask. Sums over rows are taken in the
/// order of the rows, in blocks of 256.
///
/// # Panics
///
/// As [`low_rank_add`](super::low_rank_add).
#[expect(clippy::too_many_arguments, reason = "operands and results of four products")]
pub fn low_rank_backward(
    x: &[f32],
    low: &[f32],
    dy: &[f32],
    m: usize,
    a: &[f32],
    b: &[f32],
    rank: usize,
    scaling: f32,
    dropout: Option<LowRankDropout>,
    dx: &mut [f32],
    da: &mut [f32],
    db: &mut [f32],
) {
    let of = Adapter::new(a, b, rank, scaling, dropout);
    backward(Isa::detected(), x, low, dy, m, of, dx, da, db);
}

/// [`low_rank_backward`] with the instructions of `isa`.
#[expect(clippy::too_many_arguments, reason = "those of the public function")]
pub(super) fn backward(
    isa: Isa,
    x: &[f32],
    low: &[f32],
    dy: &[f32],
    m: usize,
    of: Adapter<'_>,
    dx: &mut [f32],
    da: &mut [f32],
    db: &mut [f32],
) {
    of.assert_rows(m, x, low, dy);
    let Adapter { a, b, rank, k, n, scaling, mask } = of;
    assert_eq!(x.len(), dx.len(), "gradients of another length than inputs");
    assert_eq!((da.len(), db.len()), (a.len(), b.len()), "gradients of other matrices");
    let threads = of.worth_threads(m);
    let mut dlow = Scratch::shared(m * rank);
    let dlow = dlow.floats();
    let (dlow_parts, dx) = (Disjoint::new(dlow), Disjoint::new(dx));
    run_parts(threads, m.div_ceil(ROWS), &|part| {
        let row = part * ROWS;
        let rows = ROWS.min(m - row);
        // SAFETY: parts have rows of their own.
        let (dlow, dx) =
            unsafe { (dlow_parts.slice(row * rank, rows * rank), dx.slice(row * k, rows * k)) };
        small_product(
            isa,
            (rows, rank, n),
            Left { values: &dy[row * n..], row: n, term: 1 },
            Right { values: b, term: rank, block: 16 },
            Sums { values: dlow, row: rank, factor: scaling, add: false },
        );
        let dlow = Left { values: dlow, row: rank, term: 1 };
        let a = Right { values: a, term: k, block: 16 };
        match mask {
            None => {
                let dx = Sums { values: dx, row: k, factor: 1.0, add: true };
                small_product(isa, (rows, k, rank), dlow, a, dx);
            }
            Some(mask) => {
                let mut masked = Scratch::new(rows * k);
                let masked = masked.floats();
                let sums = Sums { values: masked, row: k, factor: 1.0, add: false };
                small_product(isa, (rows, k, rank), dlow, a, sums);
                mask.multiply(isa, (row, 0), k, Some(masked), dx);
            }
        }
    });

    let dlow = &*dlow;
    let a_parts = k.div_ceil(A_COLS);
    let (da, db) = (Disjoint::new(da), Disjoint::new(db));
    run_parts(threads, a_parts + n.div_ceil(B_ROWS), &|part| {
        if part < a_parts {
            let col = part * A_COLS;
            let cols = A_COLS.min(k - col);
            let mut scratch = Scratch::new((rank + MASKED_ROWS) * cols);
            let (sums, masked) = scratch.floats().split_at_mut(rank * cols);
            a_gradient(isa, x, dlow, m, of, (col, cols), sums, masked);
            for (r, sums) in sums.chunks_exact(cols).enumerate() {
                // SAFETY: parts have columns of their own.
                unsafe { da.slice(r * k + col, cols) }.copy_from_slice(sums);
            }
        } else {
            let row = (part - a_parts) * B_ROWS;
            let rows = B_ROWS.min(n - row);
            // SAFETY: parts have rows of their own.
            let values = unsafe { db.slice(row * rank, rows * rank) };
            small_product(
                isa,
                (rows, rank, m),
                Left { values: dy.get(row..).unwrap_or_default(), row: 1, term: n },
                Right { values: low, term: rank, block: 16 },
                Sums { values, row: rank, factor: scaling, add: false },
            );
        }
    });
}

/// Some columns of `dlowᵀ · x`.
#[expect(clippy::too_many_arguments, reason = "operands, sizes and memory of one product")]
fn a_gradient(
    isa: Isa,
    x: &[f32],
    dlow: &[f32],
    m: usize,
    of: Adapter<'_>,
    (col, cols): (usize, usize),
    sums: &mut [f32],
    masked: &mut [f32],
) {
    let Adapter { rank, k, mask, .. } = of;
    let Some(mask) = mask else {
        return small_product(
            isa,
            (rank, cols, m),
            Left { values: dlow, row: 1, term: rank },
            Right { values: x.get(col..).unwrap_or_default(), term: k, block: 16 },
            Sums { values: sums, row: cols, factor: 1.0, add: false },
        );
    };
    sums.fill(0.0);
    for row in (0..m).step_by(MASKED_ROWS) {
        let rows = MASKED_ROWS.min(m - row);
        let masked = &mut masked[..rows * cols];
        for (i, masked) in masked.chunks_exact_mut(cols).enumerate() {
            masked.copy_from_slice(&x[(row + i) * k + col..][..cols]);
        }
        mask.multiply(isa, (row, col), cols, None, masked);
        small_product(
            isa,
            (rank, cols, rows),
            Left { values: &dlow[row * rank..], row: 1, term: rank },
            Right { values: masked, term: cols, block: 16 },
            Sums { values: sums, row: cols, factor: 1.0, add: true },
        );
    }
}
