#![expect(unsafe_code, reason = "tiles are loaded from and stored to pointers")]

use super::super::{PANEL, ROW_STRIDE, Tile};

/// The tile registers: eight of 16 rows of 16 words.
pub(super) trait Tiles {
    /// Register `T` = 0.
    unsafe fn zero<const T: usize>(&mut self);

    /// Register `T` = 16 rows of 16 words, `stride` words apart.
    unsafe fn load<const T: usize>(&mut self, from: *const f32, stride: usize);

    /// 16 rows of 16 words, `stride` words apart = register `T`.
    unsafe fn store<const T: usize>(&mut self, to: *mut f32, stride: usize);

    /// `S[r][c] += Σ_w A[r][w] · B[w][c]`, where a word is a pair of bf16 values and its product the sum of two.
    unsafe fn multiply_add<const S: usize, const A: usize, const B: usize>(&mut self);
}

/// One or two tiles of rows by one or two panels.
///
/// # Safety
///
/// As checked by [`super::Kernel::multiply`]: whole tiles of rows, panels and sums are there.
pub(super) unsafe fn multiply(tiles: &mut impl Tiles, t: &Tile) {
    // SAFETY: passed on.
    unsafe {
        match (t.n_rows > PANEL, t.n_panels > 1) {
            (false, false) => multiply_tiles::<false, false>(tiles, t),
            (false, true) => multiply_tiles::<false, true>(tiles, t),
            (true, false) => multiply_tiles::<true, false>(tiles, t),
            (true, true) => multiply_tiles::<true, true>(tiles, t),
        }
    }
}

/// Registers 0 to 3 are sums, 4 and 5 rows, 6 and 7 panels.
///
/// # Safety
///
/// As [`multiply`]; the second tile of rows with `ROWS`, the second panel with `PANELS`.
unsafe fn multiply_tiles<const ROWS: bool, const PANELS: bool>(tiles: &mut impl Tiles, t: &Tile) {
    // SAFETY: whole tiles, as the caller says; `depth` is a multiple of 16.
    unsafe {
        let lower_rows = t.rows.add(if ROWS { PANEL * ROW_STRIDE } else { 0 });
        let right_panel = t.panels.add(if PANELS { t.panel_stride } else { 0 });
        let lower = if ROWS { PANEL * PANEL } else { 0 };
        let right = if PANELS { t.sums_stride } else { 0 };

        if t.first {
            tiles.zero::<0>();
            tiles.zero::<1>();
            tiles.zero::<2>();
            tiles.zero::<3>();
        } else {
            tiles.load::<0>(t.sums, PANEL);
            tiles.load::<1>(t.sums.add(right), PANEL);
            tiles.load::<2>(t.sums.add(lower), PANEL);
            tiles.load::<3>(t.sums.add(lower + right), PANEL);
        }
        for d in (0..t.depth).step_by(PANEL) {
            tiles.load::<4>(t.rows.add(d), ROW_STRIDE);
            tiles.load::<6>(t.panels.add(d * PANEL), PANEL);
            tiles.multiply_add::<0, 4, 6>();
            if PANELS {
                tiles.load::<7>(right_panel.add(d * PANEL), PANEL);
                tiles.multiply_add::<1, 4, 7>();
            }
            if ROWS {
                tiles.load::<5>(lower_rows.add(d), ROW_STRIDE);
                tiles.multiply_add::<2, 5, 6>();
            }
            if ROWS && PANELS {
                tiles.multiply_add::<3, 5, 7>();
            }
        }
        tiles.store::<0>(t.sums, PANEL);
        if PANELS {
            tiles.store::<1>(t.sums.add(right), PANEL);
        }
        if ROWS {
            tiles.store::<2>(t.sums.add(lower), PANEL);
        }
        if ROWS && PANELS {
            tiles.store::<3>(t.sums.add(lower + right), PANEL);
        }
    }
}
