//! What products of a few rows with a packed weight share: a cube has [`ROWS`] rows of the weight, and [`LANES`] units go through
//! each of them together.

use cubecl::prelude::*;

/// Rows of `x` that such a product takes.
pub(crate) const FEW: usize = 8;
/// Units that share a row of the weight.
pub(crate) const LANES: u32 = 32;
/// Values of `x` that are read at once; a word of codes belongs to a whole number of them.
pub(crate) const VALUES: usize = 4;
/// Rows of the weight that a cube has.
pub(crate) const ROWS: u32 = 4;

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
