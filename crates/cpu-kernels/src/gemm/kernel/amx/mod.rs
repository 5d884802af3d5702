//! bf16 by tiles of AMX: Sapphire Rapids and later Xeons, under Linux.
//!
//! A tile register holds 16 rows of 64 bytes: 16 rows of 16 words, a panel of 16 lines, or 16 rows of 16 sums. So rows
//! and panels are tiles as they lie. Stable Rust has no intrinsics for tiles; the instructions stand in inline assembly.
#![expect(unsafe_code, reason = "assembly, on pointers")]

mod detect;
#[cfg(test)]
mod emulated;
mod hardware;
mod tiles;

pub(super) use detect::detected;
#[cfg(test)]
pub(super) use emulated::BF16 as EMULATED;
use hardware::Hardware;

use super::{Kernel, Tile, Word};
use crate::cpu_features::Isa;

/// 32 rows by two panels: four of the eight tile registers hold sums. Sums of even and of odd values are added in f32 over
/// 32 values, then to the sum so far; subnormal factors and sums count as zero.
pub(super) static BF16: Kernel = Kernel {
    name: "amx",
    word: Word::Bf16Pair,
    isa: Isa::Avx512,
    rows: 32,
    row_step: 16,
    panels: 2,
    enter: hardware::configure,
    leave: hardware::release,
    tile,
};

/// # Safety
///
/// As checked by [`Kernel::multiply`]; AMX, configured.
unsafe fn tile(t: &Tile) {
    // SAFETY: passed on.
    unsafe { tiles::multiply(&mut Hardware, t) };
}
