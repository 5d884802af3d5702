use std::arch::x86_64::*;

use super::lanes::Lanes;
use crate::nf4::CODEBOOK;

/// 16 floats in two registers. Needs AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256, __m256);

impl Lanes for Avx2 {
    /// The lower and the upper half of the codebook.
    type Table = Avx2;
    const MANY: bool = false;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: by the trait, the instructions are there; so for all that follow.
        unsafe { Self(_mm256_setzero_ps(), _mm256_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: by the trait, the instructions are there.
        unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: by the trait, 16 floats can be read.
        unsafe { Self(_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const u8) -> Self {
        // SAFETY: by the trait, 32 bytes can be read.
        unsafe {
            let half = |at: *const u8| _mm256_cvtph_ps(_mm_loadu_si128(at.cast()));
            Self(half(at), half(at.add(16)))
        }
    }

    #[inline(always)]
    unsafe fn load_i8(at: *const u8) -> Self {
        // SAFETY: by the trait, 16 bytes can be read.
        unsafe {
            let half = |at: *const u8| {
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(at.cast())))
            };
            Self(half(at), half(at.add(8)))
        }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u8) -> [Self; 2] {
        // SAFETY: by the trait, 64 bytes can be read.
        unsafe {
            let odd = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
            let a = _mm256_loadu_si256(at.cast());
            let b = _mm256_loadu_si256(at.add(32).cast());
            let float = |v| _mm256_castsi256_ps(v);
            [
                Self(float(_mm256_slli_epi32::<16>(a)), float(_mm256_slli_epi32::<16>(b))),
                Self(float(_mm256_and_si256(a, odd)), float(_mm256_and_si256(b, odd))),
            ]
        }
    }

    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        // SAFETY: by the trait, the instructions are there.
        unsafe { Self(_mm256_fmadd_ps(a.0, b.0, self.0), _mm256_fmadd_ps(a.1, b.1, self.1)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
    }

    #[inline(always)]
    unsafe fn round_bf16(self) -> Self {
        // SAFETY: as above.
        unsafe { Self(round_bf16(self.0), round_bf16(self.1)) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let eight = _mm256_add_ps(self.0, self.1);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn table(scale: f32, round: bool) -> Self {
        // SAFETY: as above, and the codebook has 16 values.
        unsafe {
            let scale = _mm256_set1_ps(scale);
            let half = |at: *const f32| _mm256_mul_ps(_mm256_loadu_ps(at), scale);
            let table = Self(half(CODEBOOK.as_ptr()), half(CODEBOOK.as_ptr().add(8)));
            if round { table.round_bf16() } else { table }
        }
    }

    #[inline(always)]
    unsafe fn load_nf4(at: *const u8, table: Self) -> [Self; 4] {
        // SAFETY: by the trait, 32 bytes can be read.
        unsafe {
            let words = _mm256_loadu_si256(at.cast());
            let values = |codes| {
                let low = _mm256_permutevar8x32_ps(table.0, codes);
                let high = _mm256_permutevar8x32_ps(table.1, codes);
                // The code's highest bit, moved to where the blend looks.
                let upper = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(codes));
                _mm256_blendv_ps(low, high, upper)
            };
            [
                Self(values(words), values(_mm256_srli_epi32::<16>(words))),
                Self(values(_mm256_srli_epi32::<4>(words)), values(_mm256_srli_epi32::<20>(words))),
                Self(values(_mm256_srli_epi32::<8>(words)), values(_mm256_srli_epi32::<24>(words))),
                Self(
                    values(_mm256_srli_epi32::<12>(words)),
                    values(_mm256_srli_epi32::<28>(words)),
                ),
            ]
        }
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const u8) {
        // SAFETY: a prefetch reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
}

#[inline(always)]
unsafe fn round_bf16(value: __m256) -> __m256 {
    // SAFETY: the caller has AVX2.
    unsafe {
        let bits = _mm256_castps_si256(value);
        let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        let up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
        let mask = _mm256_set1_epi32(0xffff_0000_u32.cast_signed());
        _mm256_castsi256_ps(_mm256_and_si256(up, mask))
    }
}
