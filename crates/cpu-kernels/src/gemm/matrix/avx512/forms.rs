#![expect(unsafe_code, reason = "vector instructions")]

use std::arch::x86_64::*;
use std::ops::Range;

use half::{bf16, f16};

use crate::nf4::{BLOCK, CODEBOOK};
use crate::{Float, Int8, Nf4};

/// Values of a vector.
pub(super) const LANES: usize = 16;

/// Values that are unpacked at once: a block of NF4.
pub(super) const FOUR: usize = 4 * LANES;

/// A form that vectors can be unpacked from.
pub(super) trait Unpack: Copy {
    /// The form, ready for the row in which value `at` is.
    fn of_row(self, at: usize) -> Self {
        let _ = at;
        self
    }

    /// 64 values from `at` on, within a row. Panics where there are fewer.
    ///
    /// # Safety
    ///
    /// AVX-512 F, BW, VL and VBMI.
    unsafe fn four(self, at: usize) -> [__m512; 4];

    /// The values `at`, one by one.
    fn scalars(self, at: Range<usize>, out: &mut [f32]);
}

impl Unpack for &[f32] {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    unsafe fn four(self, at: usize) -> [__m512; 4] {
        let v = self[at..at + FOUR].as_ptr();
        // SAFETY: 64 values, as the slice has checked.
        unsafe {
            [
                _mm512_loadu_ps(v),
                _mm512_loadu_ps(v.add(LANES)),
                _mm512_loadu_ps(v.add(2 * LANES)),
                _mm512_loadu_ps(v.add(3 * LANES)),
            ]
        }
    }

    fn scalars(self, at: Range<usize>, out: &mut [f32]) {
        out.copy_from_slice(&self[at]);
    }
}

impl Unpack for &[bf16] {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    unsafe fn four(self, at: usize) -> [__m512; 4] {
        let v = self[at..at + FOUR].as_ptr().cast::<__m256i>();
        let mut four = [_mm512_setzero_ps(); 4];
        for (i, vector) in four.iter_mut().enumerate() {
            // SAFETY: 64 values, as the slice has checked.
            let bits = _mm512_cvtepu16_epi32(unsafe { _mm256_loadu_si256(v.add(i)) });
            *vector = _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
        }
        four
    }

    fn scalars(self, at: Range<usize>, out: &mut [f32]) {
        widen(&self[at], out);
    }
}

impl Unpack for &[f16] {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    unsafe fn four(self, at: usize) -> [__m512; 4] {
        let v = self[at..at + FOUR].as_ptr().cast::<__m256i>();
        let mut four = [_mm512_setzero_ps(); 4];
        for (i, vector) in four.iter_mut().enumerate() {
            // SAFETY: 64 values, as the slice has checked.
            *vector = _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(v.add(i)) });
        }
        four
    }

    fn scalars(self, at: Range<usize>, out: &mut [f32]) {
        widen(&self[at], out);
    }
}

impl Unpack for &Nf4 {
    /// Scales the codebook once a block; then each vector is one look-up. Eight bytes are broadcast, and of each pair of
    /// lanes the first takes the high nibble of its byte, the second the low one.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    unsafe fn four(self, at: usize) -> [__m512; 4] {
        let mut four = [_mm512_setzero_ps(); 4];
        if !at.is_multiple_of(BLOCK) {
            return one_by_one(self, at);
        }
        let shifts: [u64; 8] = std::array::from_fn(|i| (8 * i as u64 + 4) | ((8 * i as u64) << 32));
        // SAFETY: both are 512 plain bits.
        let shifts = unsafe { std::mem::transmute::<[u64; 8], __m512i>(shifts) };
        // SAFETY: 16 values.
        let codebook = unsafe { _mm512_loadu_ps(CODEBOOK.as_ptr()) };
        let absmax = self.absmax().get(at / BLOCK);
        let values = _mm512_mul_ps(codebook, _mm512_set1_ps(absmax));
        let packed = self.packed()[at / 2..at / 2 + FOUR / 2].as_chunks::<8>().0;
        for (vector, bytes) in four.iter_mut().zip(packed) {
            let bytes = _mm512_set1_epi64(i64::from_le_bytes(*bytes));
            // The look-up takes the four lowest bits of a lane.
            let codes = _mm512_multishift_epi64_epi8(shifts, bytes);
            *vector = _mm512_permutexvar_ps(codes, values);
        }
        four
    }

    fn scalars(self, at: Range<usize>, out: &mut [f32]) {
        self.dequantize(at, out);
    }
}

/// 8-bit codes and the scale of the row at hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Int8Row<'a> {
    weight: &'a Int8,
    absmax: f32,
}

impl<'a> Int8Row<'a> {
    pub(super) fn new(weight: &'a Int8) -> Self {
        Self { weight, absmax: 0.0 }
    }
}

impl Unpack for Int8Row<'_> {
    fn of_row(self, at: usize) -> Self {
        let absmax = self.weight.absmax().get(at / self.weight.cols().max(1));
        Self { absmax: absmax.copied().unwrap_or(0.0), ..self }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
    unsafe fn four(self, at: usize) -> [__m512; 4] {
        let codes = self.weight.codes()[at..at + FOUR].as_ptr().cast::<__m128i>();
        let (absmax, step) = (_mm512_set1_ps(self.absmax), _mm512_set1_ps(1.0 / 127.0));
        let mut four = [_mm512_setzero_ps(); 4];
        for (i, vector) in four.iter_mut().enumerate() {
            // SAFETY: 64 codes, as the slice has checked.
            let codes = _mm512_cvtepi8_epi32(unsafe { _mm_loadu_si128(codes.add(i)) });
            // Two roundings, as the portable form has them.
            *vector = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(codes), absmax), step);
        }
        four
    }

    fn scalars(self, at: Range<usize>, out: &mut [f32]) {
        self.weight.dequantize(at, out);
    }
}

/// 64 values from `at` on, of two blocks.
#[cold]
#[target_feature(enable = "avx512f")]
fn one_by_one(form: impl Unpack, at: usize) -> [__m512; 4] {
    let mut values = [0.0; FOUR];
    form.scalars(at..at + FOUR, &mut values);
    // SAFETY: 64 values.
    unsafe { (&raw const values).cast::<[__m512; 4]>().read_unaligned() }
}

fn widen<T: Float>(values: &[T], out: &mut [f32]) {
    values.iter().zip(out).for_each(|(v, o)| *o = v.to_f32());
}
