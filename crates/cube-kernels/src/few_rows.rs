//! What products of a few rows with packed weights share: a cube has [`ROWS`] rows of a weight, and [`LANES`] units go through
//! each of them together. The weights of one input are one launch, their cubes one after the other.

use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::tensors::{cube_per_row, dims, empty, packed};

/// Rows of `x` that such a product takes.
pub const FEW_ROWS: usize = 8;
/// Units that share a row of the weight.
const LANES: u32 = 32;
/// Values of `x` that are read at once; a word of codes belongs to a whole number of them.
pub(crate) const VALUES: usize = 4;
/// Words of codes that a unit reads at once, where rows are a whole number of so many: 16 bytes, so that enough is on its way from memory.
const WORDS: usize = 4;
/// Rows of the weight that a cube has.
const ROWS: u32 = 4;

/// What products of a few rows need besides the weights.
pub(crate) struct FewRows<R: CubeRuntime> {
    pub(crate) x: CubeTensor<R>,
    /// What the products are added to; none, or `[m, rows]` for each weight.
    pub(crate) onto: Vec<CubeTensor<R>>,
    /// `[m, rows]` for each weight, uninitialized.
    pub(crate) ys: Vec<CubeTensor<R>>,
    /// Rows of each weight.
    pub(crate) rows: Vec<usize>,
    /// Rows of `x`.
    pub(crate) m: usize,
    /// Words of codes that are read at once.
    pub(crate) words: usize,
    /// How often that is, for a row.
    pub(crate) reads_a_row: usize,
    pub(crate) cubes: CubeCount,
    pub(crate) units: CubeDim,
}

impl<R: CubeRuntime> FewRows<R> {
    /// `None` for too many rows, or where a row of a weight is no whole number of words of `codes`.
    pub(crate) fn new(
        x: &CubeTensor<R>,
        onto: &[CubeTensor<R>],
        rows: Vec<usize>,
        codes: usize,
    ) -> Option<Self> {
        let [m, k] = dims(x);
        let fits = onto.is_empty() || onto.len() == rows.len();
        assert!(fits, "{} for {} weights", onto.len(), rows.len());
        if m == 0 || m > FEW_ROWS || k % codes != 0 {
            return None;
        }
        let (x, words_a_row) = (packed(x.clone()), k / codes);
        let words = if words_a_row.is_multiple_of(WORDS) { WORDS } else { 1 };
        Some(Self {
            ys: rows.iter().map(|rows| empty(&x, [m, *rows], x.dtype)).collect(),
            cubes: cube_per_row(rows.iter().map(|rows| rows.div_ceil(ROWS as usize)).sum()),
            onto: onto.iter().cloned().map(packed).collect(),
            rows,
            x,
            m,
            words,
            reads_a_row: words_a_row / words,
            units: CubeDim::new_2d(LANES, ROWS),
        })
    }
}

/// The row that a unit has of a weight of `rows` rows, whose cubes begin at `first`; `rows` where it has none of this weight.
#[cube]
pub(crate) fn row_of(first: usize, rows: usize) -> usize {
    let mut row = rows;
    if CUBE_POS >= first {
        let at = (CUBE_POS - first) * CUBE_DIM_Y as usize + UNIT_POS_Y as usize;
        row = min(at, rows);
    }
    row
}

/// The cubes of a weight of `rows` rows.
#[cube]
pub(crate) fn cubes_of(rows: usize) -> usize {
    rows.div_ceil(CUBE_DIM_Y as usize)
}

/// Adds up what the units of a row have in `sums`, one for each of the `m` rows of `x`, and stores it in the row's column of its
/// weight's result, `[m, rows]`, on top of what `onto` has there.
#[cube]
pub(crate) fn store_sums<F: Float>(
    sums: &Array<f32>,
    onto: &Sequence<Tensor<F>>,
    ys: &mut Sequence<Tensor<F>>,
    rows: &Sequence<usize>,
    #[comptime] weights: usize,
    #[comptime] m: usize,
    #[comptime] adds: bool,
) {
    // Halves of a row's units, for all rows of `x` at once. No planes: their size is the device's affair.
    let units = comptime!((LANES * ROWS) as usize);
    let mut shared = SharedMemory::<f32>::new(comptime!(m * (LANES * ROWS) as usize));
    let unit = UNIT_POS as usize;
    #[unroll]
    for j in 0..m {
        shared[j * units + unit] = sums[j];
    }
    sync_cube();
    let mut half = CUBE_DIM_X as usize / 2;
    while half > 0 {
        if (UNIT_POS_X as usize) < half {
            #[unroll]
            for j in 0..m {
                let other = shared[j * units + unit + half];
                shared[j * units + unit] += other;
            }
        }
        sync_cube();
        half /= 2;
    }
    if UNIT_POS_X == 0 {
        let mut first = 0usize;
        #[unroll]
        for weight in 0..weights {
            let rows = *rows.index(weight);
            let row = row_of(first, rows);
            if row < rows {
                let y = ys.index_mut(weight);
                #[unroll]
                for j in 0..m {
                    let at = j * rows + row;
                    let mut sum = shared[j * units + unit];
                    if adds {
                        sum += f32::cast_from(onto.index(weight)[at]);
                    }
                    y[at] = F::cast_from(sum);
                }
            }
            first += cubes_of(rows);
        }
    }
}
