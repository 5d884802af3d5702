#![expect(unsafe_code, reason = "vector instructions")]

use std::arch::x86_64::*;
use std::ops::Range;

use half::{bf16, f16};

use crate::nf4::{BLOCK, CODEBOOK};
use crate::{FrozenWeight, Nf4, Values};

/// Values of a vector.
const LANES: usize = 16;

/// The values `at` of the flattened weight, all of them of row `row`. The same bits as the portable form gives.
///
/// Only where [`crate::cpu_features::Isa::Avx512`] is detected.
pub(super) fn segment(weight: &FrozenWeight, row: usize, at: Range<usize>, out: &mut [f32]) {
    match weight.values() {
        Values::F32(v) => out.copy_from_slice(&v[at]),
        // SAFETY: the features were detected.
        Values::Bf16(v) => unsafe { widen_bf16(&v[at], out) },
        // SAFETY: as above.
        Values::F16(v) => unsafe { widen_f16(&v[at], out) },
        Values::Nf4(v) => nf4(v, at, out),
        // SAFETY: as above.
        Values::Int8(v) => unsafe { int8(&v.codes()[at], v.absmax()[row], out) },
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn widen_bf16(values: &[bf16], out: &mut [f32]) {
    for (values, out) in values.chunks(LANES).zip(out.chunks_mut(LANES)) {
        // SAFETY: no lane beyond the slice.
        let bits = unsafe { _mm256_maskz_loadu_epi16(first(values.len()), values.as_ptr().cast()) };
        let wide = _mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
        store(out, _mm512_castsi512_ps(wide));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn widen_f16(values: &[f16], out: &mut [f32]) {
    for (values, out) in values.chunks(LANES).zip(out.chunks_mut(LANES)) {
        // SAFETY: no lane beyond the slice.
        let bits = unsafe { _mm256_maskz_loadu_epi16(first(values.len()), values.as_ptr().cast()) };
        store(out, _mm512_cvtph_ps(bits));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn int8(codes: &[i8], absmax: f32, out: &mut [f32]) {
    let (absmax, step) = (_mm512_set1_ps(absmax), _mm512_set1_ps(1.0 / 127.0));
    for (codes, out) in codes.chunks(LANES).zip(out.chunks_mut(LANES)) {
        // SAFETY: no lane beyond the slice.
        let bytes = unsafe { _mm_maskz_loadu_epi8(first(codes.len()), codes.as_ptr()) };
        let values = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
        store(out, _mm512_mul_ps(_mm512_mul_ps(values, absmax), step));
    }
}

/// Whole blocks by vectors; what of the first and the last block is only in part in the range, one by one.
fn nf4(weight: &Nf4, at: Range<usize>, out: &mut [f32]) {
    let start = at.start.next_multiple_of(BLOCK).min(at.end);
    let end = (at.end / BLOCK * BLOCK).max(start);
    let (head, rest) = out.split_at_mut(start - at.start);
    let (blocks, tail) = rest.split_at_mut(end - start);
    if !head.is_empty() {
        weight.dequantize(at.start..start, head);
    }
    if !blocks.is_empty() {
        // SAFETY: the features were detected.
        unsafe { nf4_blocks(weight, start / BLOCK, blocks) };
    }
    if !tail.is_empty() {
        weight.dequantize(end..at.end, tail);
    }
}

/// Scales the 16 values of the codebook once a block; then each vector is one look-up. Eight bytes are broadcast, and of each
/// pair of lanes the first takes the high nibble of its byte, the second the low one.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn nf4_blocks(weight: &Nf4, block: usize, out: &mut [f32]) {
    let shifts: [u64; 8] =
        std::array::from_fn(|byte| (8 * byte as u64 + 4) | (8 * byte as u64) << 32);
    // SAFETY: both are 512 plain bits.
    let shifts = unsafe { std::mem::transmute::<[u64; 8], __m512i>(shifts) };
    // SAFETY: 16 values.
    let codebook = unsafe { _mm512_loadu_ps(CODEBOOK.as_ptr()) };
    let (packed, _) = weight.packed()[block * BLOCK / 2..].as_chunks::<8>();
    let (blocks, _) = out.as_chunks_mut::<BLOCK>();
    for (i, (out, packed)) in blocks.iter_mut().zip(packed.chunks_exact(4)).enumerate() {
        let absmax = weight.absmax().get(block + i);
        let values = _mm512_mul_ps(codebook, _mm512_set1_ps(absmax));
        for (out, packed) in out.chunks_exact_mut(LANES).zip(packed) {
            let bytes = _mm512_set1_epi64(i64::from_le_bytes(*packed));
            // The look-up takes the four lowest bits of a lane.
            let codes = _mm512_multishift_epi64_epi8(shifts, bytes);
            store(out, _mm512_permutexvar_ps(codes, values));
        }
    }
}

/// Up to 16 values.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn store(out: &mut [f32], values: __m512) {
    // SAFETY: no lane beyond the slice.
    unsafe { _mm512_mask_storeu_ps(out.as_mut_ptr(), first(out.len()), values) };
}

/// A bit for each of the first `n` lanes.
fn first(n: usize) -> __mmask16 {
    if n >= LANES { !0 } else { (1 << n) - 1 }
}
