#![expect(unsafe_code, reason = "operands come as pointers, as to every kernel")]

use std::slice;

use super::{Kernel, PANEL, ROW_STRIDE, Tile, Word, nothing};
use crate::cpu_features::Isa;

/// For any processor: four rows by one panel, in whatever vectors the compiler finds.
pub(super) static F32: Kernel = Kernel {
    name: "portable",
    word: Word::F32,
    isa: Isa::Portable,
    rows: 4,
    row_step: 1,
    panels: 1,
    enter: nothing,
    leave: nothing,
    tile,
};

/// # Safety
///
/// As checked by [`Kernel::multiply`].
unsafe fn tile(t: &Tile) {
    for r in 0..t.n_rows {
        // SAFETY: the row, the panel and the sums have these lengths.
        let (row, panel, sums) = unsafe {
            (
                slice::from_raw_parts(t.rows.add(r * ROW_STRIDE), t.depth),
                slice::from_raw_parts(t.panels, t.depth * PANEL),
                slice::from_raw_parts_mut(t.sums.add(r * PANEL), PANEL),
            )
        };
        let mut acc = [0.0f32; PANEL];
        for (x, line) in row.iter().zip(panel.chunks_exact(PANEL)) {
            acc.iter_mut().zip(line).for_each(|(a, w)| *a += x * w);
        }
        if t.first {
            sums.copy_from_slice(&acc);
        } else {
            sums.iter_mut().zip(acc).for_each(|(s, a)| *s += a);
        }
    }
}
