//! Micro-kernels: a small tile of sums, kept in registers, from rows and panels of 32-bit words.
//!
//! A word is an f32, or a pair of bf16 values that follow each other in the direction of the sum.

#![expect(unsafe_code, reason = "kernels need processor features and checked lengths")]

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use crate::cpu_features::Isa;

/// Columns of a panel: a cache line of words.
pub(super) const PANEL: usize = 16;

/// Words of depth that one call sums up at most: two panels of this depth fit the first-level cache.
pub(super) const BLOCK: usize = 256;

/// Words from one row to the next. The extra line keeps rows out of each other's cache sets.
pub(super) const ROW_STRIDE: usize = BLOCK + PANEL;

/// What a word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// One f32.
    F32,
    /// Two bf16 values, the first in the lower half.
    Bf16Pair,
}

/// A micro-kernel and the tile that it works on.
#[derive(Debug)]
pub(super) struct Kernel {
    /// For tables and test messages.
    pub(super) name: &'static str,
    pub(super) word: Word,
    /// What it and the packing for it are written for.
    pub(super) isa: Isa,
    /// Rows of a tile at most.
    pub(super) rows: usize,
    /// The kernel reads and writes rows up to the next multiple of this.
    pub(super) row_step: usize,
    /// Panels of a tile at most.
    pub(super) panels: usize,
    /// Before and after the tiles of a call.
    enter: unsafe fn(),
    leave: unsafe fn(),
    /// Needs what [`Kernel::multiply`] checks, and the processor features that its name says.
    tile: unsafe fn(&Tile),
}

/// Operands of one call of a micro-kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    n_rows: usize,
    n_panels: usize,
    depth: usize,
    rows: *const f32,
    panels: *const f32,
    panel_stride: usize,
    sums: *mut f32,
    sums_stride: usize,
    first: bool,
}

/// The second factor: panels of 16 columns, each `[depth][16]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panels<'a> {
    pub(super) words: &'a [f32],
    /// Words from one panel to the next.
    pub(super) stride: usize,
    pub(super) count: usize,
}

/// Where sums go: panels of 16 columns, each `[rows][16]`.
#[derive(Debug)]
pub(super) struct Sums<'a> {
    pub(super) values: &'a mut [f32],
    /// Values from one panel to the next.
    pub(super) stride: usize,
}

impl Kernel {
    /// `sums[p][r][c] += Σ_d rows[r][d] · panels[p][d][c]` over `depth` words; `first` stores where it else adds.
    ///
    /// `depth` is a multiple of 16, at most [`BLOCK`]. Each sum is taken in the order of `d`, whatever the tile.
    pub(super) fn multiply(
        &self,
        rows: &[f32],
        n_rows: usize,
        depth: usize,
        panels: Panels<'_>,
        sums: &mut Sums<'_>,
        first: bool,
    ) {
        if n_rows == 0 || panels.count == 0 {
            return;
        }
        let padded = n_rows.next_multiple_of(self.row_step);
        assert!(depth.is_multiple_of(PANEL) && depth <= BLOCK);
        assert!(rows.len() >= (padded - 1) * ROW_STRIDE + depth);
        assert!(panels.words.len() >= (panels.count - 1) * panels.stride + depth * PANEL);
        assert!(sums.values.len() >= (panels.count - 1) * sums.stride + padded * PANEL);
        let group = n_rows.div_ceil(n_rows.div_ceil(self.rows)).next_multiple_of(self.row_step);
        // SAFETY: a kernel is listed only where its features are there.
        unsafe { (self.enter)() };
        for p in (0..panels.count).step_by(self.panels) {
            for r in (0..n_rows).step_by(group) {
                let tile = Tile {
                    n_rows: group.min(n_rows - r),
                    n_panels: self.panels.min(panels.count - p),
                    depth,
                    rows: rows[r * ROW_STRIDE..].as_ptr(),
                    panels: panels.words[p * panels.stride..].as_ptr(),
                    panel_stride: panels.stride,
                    sums: sums.values[p * sums.stride + r * PANEL..].as_mut_ptr(),
                    sums_stride: sums.stride,
                    first,
                };
                // SAFETY: the lengths were checked above, and a kernel is listed only where its features are there.
                unsafe { (self.tile)(&tile) };
            }
        }
        // SAFETY: as above.
        unsafe { (self.leave)() };
    }
}

/// For kernels that need no preparation.
unsafe fn nothing() {}

/// The AMX kernel on registers in memory.
#[cfg(all(test, target_arch = "x86_64"))]
pub(super) fn amx_emulated() -> &'static Kernel {
    &amx::EMULATED
}

/// The kernels that this processor can run, best first.
pub(super) fn available() -> Vec<&'static Kernel> {
    let mut kernels = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let isa = Isa::detected();
        if amx::detected() {
            kernels.push(&amx::BF16);
        }
        if isa == Isa::Avx512 && std::is_x86_feature_detected!("avx512bf16") {
            kernels.push(&avx512::BF16);
        }
        if isa == Isa::Avx512 {
            kernels.push(&avx512::F32);
        }
        if isa >= Isa::Avx2 {
            kernels.push(&avx2::F32);
        }
    }
    kernels.push(&portable::F32);
    kernels
}
