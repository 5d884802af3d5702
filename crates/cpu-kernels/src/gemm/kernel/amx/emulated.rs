#![expect(unsafe_code, reason = "tiles are loaded from and stored to pointers")]

use half::bf16;

use super::super::{Kernel, Tile, Word};
use super::detect::multiplies;
use super::tiles::{self, Tiles};
use crate::cpu_features::Isa;

/// The kernel of this module on registers in memory: its loops and indices run on any processor.
pub(in super::super) static BF16: Kernel = Kernel {
    name: "amx emulated",
    word: Word::Bf16Pair,
    isa: Isa::Portable,
    rows: super::BF16.rows,
    row_step: super::BF16.row_step,
    panels: super::BF16.panels,
    enter: super::super::nothing,
    leave: super::super::nothing,
    tile,
};

unsafe fn tile(t: &Tile) {
    // SAFETY: passed on.
    unsafe { tiles::multiply(&mut Emulated([[[f32::NAN; 16]; 16]; 8]), t) };
}

struct Emulated([[[f32; 16]; 16]; 8]);

impl Tiles for Emulated {
    unsafe fn zero<const T: usize>(&mut self) {
        self.0[T] = [[0.0; 16]; 16];
    }

    unsafe fn load<const T: usize>(&mut self, from: *const f32, stride: usize) {
        for (r, row) in self.0[T].iter_mut().enumerate() {
            // SAFETY: 16 rows of 16 words, as the caller says.
            unsafe { from.add(r * stride).copy_to(row.as_mut_ptr(), 16) };
        }
    }

    unsafe fn store<const T: usize>(&mut self, to: *mut f32, stride: usize) {
        for (r, row) in self.0[T].iter().enumerate() {
            // SAFETY: 16 rows of 16 words, as the caller says.
            unsafe { row.as_ptr().copy_to(to.add(r * stride), 16) };
        }
    }

    /// As Intel's manual has it (TDPBF16PS): even and odd values summed apart, then together, then to the register.
    unsafe fn multiply_add<const S: usize, const A: usize, const B: usize>(&mut self) {
        let halves = |word: f32| {
            let bits = word.to_bits();
            [bits as u16, (bits >> 16) as u16].map(|half| bf16::from_bits(half).to_f32())
        };
        for r in 0..16 {
            for c in 0..16 {
                let mut sums = [0.0; 2];
                for w in 0..16 {
                    let (a, b) = (halves(self.0[A][r][w]), halves(self.0[B][w][c]));
                    sums[0] += a[0] * b[0];
                    sums[1] += a[1] * b[1];
                }
                self.0[S][r][c] += sums[0] + sums[1];
            }
        }
    }
}

#[test]
fn the_check_at_first_use_passes_and_can_fail() {
    assert!(multiplies(&BF16));
    unsafe fn first_half(t: &Tile) {
        // SAFETY: passed on; less depth.
        unsafe { tile(&Tile { depth: t.depth / 2 / 16 * 16, ..*t }) };
    }
    assert!(!multiplies(&Kernel { tile: first_half, ..BF16 }));
}
