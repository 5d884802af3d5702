//! What products of a few rows with a packed weight share: a cube has [`ROWS`] rows of the weight, and [`LANES`] units go through
//! each of them together.

use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::tensors::{cube_per_row, dims, empty, packed};

/// Rows of `x` that such a product takes.
const FEW: usize = 8;
/// Units that share a row of the weight.
const LANES: u32 = 32;
/// Values of `x` that are read at once; a word of codes belongs to a whole number of them.
pub(crate) const VALUES: usize = 4;
/// Rows of the weight that a cube has.
const ROWS: u32 = 4;

/// What a product of a few rows needs besides the weight.
pub(crate) struct FewRows<R: CubeRuntime> {
    pub(crate) x: CubeTensor<R>,
    /// `[m, rows of the weight]`, uninitialized.
    pub(crate) y: CubeTensor<R>,
    /// Rows of `x`.
    pub(crate) m: usize,
    pub(crate) words_a_row: usize,
    pub(crate) cubes: CubeCount,
    pub(crate) units: CubeDim,
}

impl<R: CubeRuntime> FewRows<R> {
    /// `None` for too many rows, or where a row of the weight is no whole number of words of `codes`.
    pub(crate) fn new(x: &CubeTensor<R>, rows: usize, codes: usize) -> Option<Self> {
        let [m, k] = dims(x);
        if m == 0 || m > FEW || k % codes != 0 {
            return None;
        }
        let x = packed(x.clone());
        Some(Self {
            y: empty(&x, [m, rows], x.dtype),
            x,
            m,
            words_a_row: k / codes,
            cubes: cube_per_row(rows.div_ceil(ROWS as usize)),
            units: CubeDim::new_2d(LANES, ROWS),
        })
    }
}

/// Adds up what the units of a row have in `sums`, one for each of the `m` rows of `x`, and stores it in column `row` of `y`,
/// `[m, rows]`.
#[cube]
pub(crate) fn store_sums<F: Float>(
    sums: &Array<f32>,
    y: &mut Tensor<F>,
    row: usize,
    rows: usize,
    #[comptime] m: usize,
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
    if UNIT_POS_X == 0 && row < rows {
        #[unroll]
        for j in 0..m {
            y[j * rows + row] = F::cast_from(shared[j * units + unit]);
        }
    }
}
