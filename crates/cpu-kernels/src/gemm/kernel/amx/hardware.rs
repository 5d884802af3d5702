#![expect(unsafe_code, reason = "assembly")]

use std::arch::asm;

use super::tiles::Tiles;

/// The tile registers of the thread.
///
/// Nothing that the compiler emits uses tile registers, so they keep their contents from one instruction to the next.
pub(super) struct Hardware;

/// Palette 1; all eight registers with 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIG: Config = Config {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Readies the tile registers of this thread.
///
/// # Safety
///
/// AMX, and Linux's leave to use it.
pub(super) unsafe fn configure() {
    // SAFETY: 64 bytes that configure 8 registers.
    unsafe {
        asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, preserves_flags, readonly));
    }
}

/// Gives the tile registers of this thread back: the system need no longer save them.
///
/// # Safety
///
/// AMX.
pub(super) unsafe fn release() {
    // SAFETY: their contents are in memory.
    unsafe { asm!("tilerelease", options(nostack, preserves_flags, nomem)) };
}

impl Tiles for Hardware {
    #[inline(always)]
    unsafe fn zero<const T: usize>(&mut self) {
        // SAFETY: configured.
        unsafe { asm!("tilezero tmm{}", const T, options(nostack, preserves_flags, nomem)) };
    }

    #[inline(always)]
    unsafe fn load<const T: usize>(&mut self, from: *const f32, stride: usize) {
        // SAFETY: 16 rows of 64 bytes, as the caller says.
        unsafe {
            asm!(
                "tileloadd tmm{}, [{} + {}]",
                const T, in(reg) from, in(reg) stride * size_of::<f32>(),
                options(nostack, preserves_flags, readonly)
            );
        }
    }

    #[inline(always)]
    unsafe fn store<const T: usize>(&mut self, to: *mut f32, stride: usize) {
        // SAFETY: 16 rows of 64 bytes, as the caller says.
        unsafe {
            asm!(
                "tilestored [{} + {}], tmm{}",
                in(reg) to, in(reg) stride * size_of::<f32>(), const T,
                options(nostack, preserves_flags)
            );
        }
    }

    #[inline(always)]
    unsafe fn multiply_add<const S: usize, const A: usize, const B: usize>(&mut self) {
        // SAFETY: configured.
        unsafe {
            asm!(
                "tdpbf16ps tmm{}, tmm{}, tmm{}",
                const S, const A, const B,
                options(nostack, preserves_flags, nomem)
            );
        }
    }
}
