#![expect(unsafe_code, reason = "vector instructions; outputs that threads share come as pointers")]

use crate::cpu_features::Isa;

/// Rows and columns that are swapped at once.
const BLOCK: usize = 16;

/// `to[c · to_stride + r] = from[r · from_stride + c]` for any number of rows and columns.
///
/// # Panics
///
/// Where a matrix ends before its last row.
pub(crate) fn transpose_all(
    isa: Isa,
    from: &[f32],
    from_stride: usize,
    (n_rows, n_cols): (usize, usize),
    to: &mut [f32],
    to_stride: usize,
) {
    if n_rows == 0 || n_cols == 0 {
        return;
    }
    assert!(isa <= Isa::detected());
    assert!(to.len() >= (n_cols - 1) * to_stride + n_rows);
    for row in (0..n_rows).step_by(BLOCK) {
        for col in (0..n_cols).step_by(BLOCK) {
            let size = (BLOCK.min(n_rows - row), BLOCK.min(n_cols - col));
            let from = &from[row * from_stride + col..];
            let to = &mut to[col * to_stride + row..];
            // SAFETY: the last column of `to` ends within it, as was checked, and so do those before.
            unsafe { transpose(isa, from, from_stride, size, to.as_mut_ptr(), to_stride) };
        }
    }
}

/// `to[c · to_stride + r] = from[r · from_stride + c]` for up to 16 rows and 16 columns.
///
/// # Safety
///
/// `to` must be valid for writes of `n_rows` values at each multiple of `to_stride` below `n_cols * to_stride`.
pub(crate) unsafe fn transpose(
    isa: Isa,
    from: &[f32],
    from_stride: usize,
    (n_rows, n_cols): (usize, usize),
    to: *mut f32,
    to_stride: usize,
) {
    if n_rows == 0 || n_cols == 0 {
        return;
    }
    assert!(n_rows <= BLOCK && n_cols <= BLOCK);
    assert!(from.len() >= (n_rows - 1) * from_stride + n_cols);
    #[cfg(target_arch = "x86_64")]
    if isa == Isa::Avx512 {
        // SAFETY: the feature is there; `from` was checked above, `to` by the caller.
        unsafe { avx512::transpose(from.as_ptr(), from_stride, (n_rows, n_cols), to, to_stride) };
        return;
    }
    for c in 0..n_cols {
        for r in 0..n_rows {
            // SAFETY: within the rows that the caller vouches for.
            unsafe { *to.add(c * to_stride + r) = from[r * from_stride + c] };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    /// # Safety
    ///
    /// As the portable one; `from` as `to`, with rows and columns swapped.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn transpose(
        from: *const f32,
        from_stride: usize,
        (n_rows, n_cols): (usize, usize),
        to: *mut f32,
        to_stride: usize,
    ) {
        let (row_mask, col_mask) = (first(n_rows), first(n_cols));
        let mut rows = [_mm512_setzero_ps(); 16];
        if (n_rows, n_cols) == (16, 16) {
            for (r, row) in rows.iter_mut().enumerate() {
                // SAFETY: all rows are there.
                *row = unsafe { _mm512_loadu_ps(from.add(r * from_stride)) };
            }
            for (c, &col) in transposed(rows).iter().enumerate() {
                // SAFETY: all columns are there.
                unsafe { _mm512_storeu_ps(to.add(c * to_stride), col) };
            }
            return;
        }
        for (r, row) in rows.iter_mut().enumerate().take(n_rows) {
            // SAFETY: `n_cols` values of a row that is there.
            *row = unsafe { _mm512_maskz_loadu_ps(col_mask, from.add(r * from_stride)) };
        }
        for (c, &col) in transposed(rows).iter().enumerate().take(n_cols) {
            // SAFETY: `n_rows` values of a column that is there.
            unsafe { _mm512_mask_storeu_ps(to.add(c * to_stride), row_mask, col) };
        }
    }

    fn first(n: usize) -> __mmask16 {
        if n >= 16 { !0 } else { (1 << n) - 1 }
    }

    /// Pairs, then fours within each quarter of the vectors, then the quarters.
    ///
    /// Plain loops: a closure given to `map` would be a call with all vectors in memory.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn transposed(mut rows: [__m512; 16]) -> [__m512; 16] {
        for i in (0..16).step_by(2) {
            let (a, b) = (rows[i], rows[i + 1]);
            rows[i] = _mm512_unpacklo_ps(a, b);
            rows[i + 1] = _mm512_unpackhi_ps(a, b);
        }
        for i in (0..16).step_by(4) {
            let (a, b) = (_mm512_castps_pd(rows[i]), _mm512_castps_pd(rows[i + 1]));
            let (c, d) = (_mm512_castps_pd(rows[i + 2]), _mm512_castps_pd(rows[i + 3]));
            rows[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
            rows[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
            rows[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
            rows[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
        }
        for j in 0..4 {
            let (a, b, c, d) = (rows[j], rows[4 + j], rows[8 + j], rows[12 + j]);
            let (even, odd) = (_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
            let (even_2, odd_2) =
                (_mm512_shuffle_f32x4(c, d, 0x88), _mm512_shuffle_f32x4(c, d, 0xdd));
            rows[j] = _mm512_shuffle_f32x4(even, even_2, 0x88);
            rows[4 + j] = _mm512_shuffle_f32x4(odd, odd_2, 0x88);
            rows[8 + j] = _mm512_shuffle_f32x4(even, even_2, 0xdd);
            rows[12 + j] = _mm512_shuffle_f32x4(odd, odd_2, 0xdd);
        }
        rows
    }
}
