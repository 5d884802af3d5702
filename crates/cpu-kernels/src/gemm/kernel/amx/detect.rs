#![expect(unsafe_code, reason = "asks the processor and the kernel")]

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

use super::super::{Kernel, PANEL, Panels, ROW_STRIDE, Sums};
use super::BF16;
use crate::cpu_features::Isa;

/// Whether the processor has tiles for bf16, Linux lets this process use them, and they multiply as they should. Asked once.
pub(in super::super) fn detected() -> bool {
    static DETECTED: OnceLock<bool> = OnceLock::new();
    *DETECTED.get_or_init(|| {
        let packs = Isa::detected() == Isa::Avx512 && std::is_x86_feature_detected!("avx512bf16");
        packs && in_processor() && saved_by_system() && allowed() && multiplies(&BF16)
    })
}

/// AMX-TILE and AMX-BF16 in leaf 7.
fn in_processor() -> bool {
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    let needed = AMX_BF16 | AMX_TILE;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & needed == needed
}

/// The system saves tile registers: bits 17 and 18 of XCR0.
fn saved_by_system() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILES: u64 = 1 << 17 | 1 << 18;
    // SAFETY: the instruction is there where the system has set OSXSAVE.
    __cpuid(1).ecx & OSXSAVE != 0 && unsafe { xcr0() } & TILES == TILES
}

/// # Safety
///
/// OSXSAVE.
#[target_feature(enable = "xsave")]
unsafe fn xcr0() -> u64 {
    // SAFETY: passed on.
    unsafe { _xgetbv(0) }
}

/// `arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)`, for the whole process.
#[cfg(target_os = "linux")]
fn allowed() -> bool {
    const SYS_ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
    const XFEATURE_XTILEDATA: i64 = 18;
    let result: i64;
    // SAFETY: a system call that reads no memory of ours; it overwrites rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") SYS_ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> bool {
    false
}

/// Whether `kernel` gets a small product right: two calls, rows and panels that are not whole tiles.
///
/// The factors are small integers, whose sums are exact in any order: every bit is known.
pub(super) fn multiplies(kernel: &Kernel) -> bool {
    const ROWS: usize = 40;
    const PANELS: usize = 3;
    const DEPTH: usize = 48;
    let integer = |i: usize| ((i * 2_654_435_761) >> 7) as u8 % 15;
    let value = |i: usize| f32::from(integer(i)) - 7.0;
    // The upper half of an f32 is a bf16.
    let word = |i: usize| {
        let (first, second) = (value(2 * i).to_bits() >> 16, value(2 * i + 1).to_bits() >> 16);
        f32::from_bits(first | second << 16)
    };
    let padded = ROWS.next_multiple_of(kernel.row_step);
    let rows: Vec<f32> = (0..padded * ROW_STRIDE).map(word).collect();
    let words: Vec<f32> = (0..PANELS * DEPTH * PANEL).map(|i| word(i + 7)).collect();
    let panels = Panels { words: &words, stride: DEPTH * PANEL, count: PANELS };
    let stride = padded * PANEL;
    let mut values = vec![0.0; PANELS * stride];
    let mut sums = Sums { values: &mut values, stride };
    kernel.multiply(&rows, ROWS, DEPTH, panels, &mut sums, true);
    kernel.multiply(&rows, ROWS, DEPTH, panels, &mut sums, false);
    (0..PANELS).all(|p| {
        (0..ROWS).all(|r| {
            (0..PANEL).all(|c| {
                let product = |d: usize, half: usize| {
                    let row = value(2 * (r * ROW_STRIDE + d) + half);
                    let panel = value(2 * (p * DEPTH * PANEL + d * PANEL + c + 7) + half);
                    row * panel
                };
                let expected: f32 = (0..DEPTH).map(|d| product(d, 0) + product(d, 1)).sum();
                values[p * stride + r * PANEL + c] == 2.0 * expected
            })
        })
    })
}
