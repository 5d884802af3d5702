#![expect(unsafe_code, reason = "vector instructions on pointers")]

use std::arch::x86_64::*;

use super::{Kernel, PANEL, ROW_STRIDE, Tile, Word, nothing};
use crate::cpu_features::Isa;

/// 14 rows by two panels: 28 of the 32 registers hold sums.
pub(super) static F32: Kernel = Kernel {
    name: "avx512",
    word: Word::F32,
    isa: Isa::Avx512,
    rows: 14,
    row_step: 2,
    panels: 2,
    enter: nothing,
    leave: nothing,
    tile: f32::tile,
};

/// The same tile with AVX512-BF16, which multiplies pairs: both products are added in f32, without intermediate
/// rounding to bf16; subnormal factors and sums count as zero.
pub(super) static BF16: Kernel = Kernel {
    name: "avx512bf16",
    word: Word::Bf16Pair,
    isa: Isa::Avx512,
    rows: 14,
    row_step: 2,
    panels: 2,
    enter: nothing,
    leave: nothing,
    tile: bf16::tile,
};

/// The kernel is the same for both kinds of word; only the instruction that multiplies differs.
macro_rules! kernel {
    ($name:ident, $features:literal, $multiply_add:expr) => {
        mod $name {
            use super::*;

            /// # Safety
            ///
            /// As checked by [`Kernel::multiply`]; the features of the kernel's name.
            pub(super) unsafe fn tile(t: &Tile) {
                // SAFETY: passed on.
                unsafe {
                    match t.n_panels {
                        1 => panels::<1>(t),
                        _ => panels::<2>(t),
                    }
                }
            }

            /// # Safety
            ///
            /// As [`tile`], with `P` panels.
            unsafe fn panels<const P: usize>(t: &Tile) {
                // SAFETY: passed on.
                unsafe {
                    match t.n_rows {
                        0..=2 => rows::<2, P>(t),
                        3..=4 => rows::<4, P>(t),
                        5..=6 => rows::<6, P>(t),
                        7..=8 => rows::<8, P>(t),
                        9..=10 => rows::<10, P>(t),
                        11..=12 => rows::<12, P>(t),
                        _ => rows::<14, P>(t),
                    }
                }
            }

            /// # Safety
            ///
            /// As [`tile`], with `R` rows and `P` panels.
            #[target_feature(enable = $features)]
            unsafe fn rows<const R: usize, const P: usize>(t: &Tile) {
                let mut acc = [[_mm512_setzero_ps(); P]; R];
                // SAFETY: `R` rows of `depth` words, `P` panels of `depth` lines, `R` lines of sums in each panel.
                unsafe {
                    for d in 0..t.depth {
                        let mut w = [_mm512_setzero_ps(); P];
                        for p in 0..P {
                            w[p] = _mm512_loadu_ps(t.panels.add(p * t.panel_stride + d * PANEL));
                        }
                        for r in 0..R {
                            let x = _mm512_set1_ps(*t.rows.add(r * ROW_STRIDE + d));
                            for p in 0..P {
                                acc[r][p] = $multiply_add(acc[r][p], x, w[p]);
                            }
                        }
                    }
                    for r in 0..R {
                        for p in 0..P {
                            let at = t.sums.add(p * t.sums_stride + r * PANEL);
                            let sum = if t.first {
                                acc[r][p]
                            } else {
                                _mm512_add_ps(_mm512_loadu_ps(at), acc[r][p])
                            };
                            _mm512_storeu_ps(at, sum);
                        }
                    }
                }
            }
        }
    };
}

kernel!(f32, "avx512f", |sum, x, w| _mm512_fmadd_ps(x, w, sum));
kernel!(bf16, "avx512f,avx512bf16", |sum, x, w| {
    _mm512_dpbf16_ps(sum, bf16_pairs(x), bf16_pairs(w))
});

/// The same bits, as the instruction wants them named.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn bf16_pairs(words: __m512) -> __m512bh {
    // SAFETY: both are 512 plain bits.
    unsafe { std::mem::transmute(words) }
}
