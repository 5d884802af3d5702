#![expect(unsafe_code, reason = "vector instructions on pointers")]

use std::arch::x86_64::*;

use super::{Kernel, PANEL, ROW_STRIDE, Tile, Word, nothing};
use crate::cpu_features::Isa;

/// Six rows by one panel of two vectors: 12 of the 16 registers hold sums.
pub(super) static F32: Kernel = Kernel {
    name: "avx2",
    word: Word::F32,
    isa: Isa::Avx2,
    rows: 6,
    row_step: 1,
    panels: 1,
    enter: nothing,
    leave: nothing,
    tile,
};

/// # Safety
///
/// As checked by [`Kernel::multiply`]; AVX2 and FMA.
unsafe fn tile(t: &Tile) {
    // SAFETY: passed on.
    unsafe {
        match t.n_rows {
            1 => rows::<1>(t),
            2 => rows::<2>(t),
            3 => rows::<3>(t),
            4 => rows::<4>(t),
            5 => rows::<5>(t),
            _ => rows::<6>(t),
        }
    }
}

/// # Safety
///
/// As [`tile`], with `R` rows.
#[target_feature(enable = "avx2,fma")]
unsafe fn rows<const R: usize>(t: &Tile) {
    let mut acc = [[_mm256_setzero_ps(); 2]; R];
    // SAFETY: `R` rows of `depth` words, a panel of `depth` lines, `R` lines of sums.
    unsafe {
        for d in 0..t.depth {
            let line = t.panels.add(d * PANEL);
            let w = [_mm256_loadu_ps(line), _mm256_loadu_ps(line.add(8))];
            for (r, acc) in acc.iter_mut().enumerate() {
                let x = _mm256_broadcast_ss(&*t.rows.add(r * ROW_STRIDE + d));
                acc[0] = _mm256_fmadd_ps(x, w[0], acc[0]);
                acc[1] = _mm256_fmadd_ps(x, w[1], acc[1]);
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (half, &acc) in acc.iter().enumerate() {
                let at = t.sums.add(r * PANEL + half * 8);
                let acc = if t.first { acc } else { _mm256_add_ps(_mm256_loadu_ps(at), acc) };
                _mm256_storeu_ps(at, acc);
            }
        }
    }
}
