use std::arch::x86_64::*;

use super::lanes::Lanes;
use crate::nf4::CODEBOOK;

/// 16 floats in one register. Needs AVX-512 F and BW.
#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

impl Lanes for Avx512 {
    type Table = Avx512;
    const MANY: bool = true;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: by the trait, the instructions are there; so for all that follow.
        unsafe { Self(_mm512_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: by the trait, the instructions are there.
        unsafe { Self(_mm512_set1_ps(value)) }
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: by the trait, 16 floats can be read.
        unsafe { Self(_mm512_loadu_ps(at)) }
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const u8) -> Self {
        // SAFETY: by the trait, 32 bytes can be read.
        unsafe { Self(_mm512_cvtph_ps(_mm256_loadu_si256(at.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_i8(at: *const u8) -> Self {
        // SAFETY: by the trait, 16 bytes can be read.
        unsafe { Self(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(at.cast())))) }
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u8) -> [Self; 2] {
        // SAFETY: by the trait, 64 bytes can be read.
        unsafe {
            let pairs = _mm512_loadu_si512(at.cast());
            let odd = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
            [
                Self(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(pairs))),
                Self(_mm512_castsi512_ps(_mm512_and_si512(pairs, odd))),
            ]
        }
    }

    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        // SAFETY: by the trait, the instructions are there.
        unsafe { Self(_mm512_fmadd_ps(a.0, b.0, self.0)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm512_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn round_bf16(self) -> Self {
        // SAFETY: as above.
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
            let mask = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
            Self(_mm512_castsi512_ps(_mm512_and_si512(up, mask)))
        }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let upper = _mm512_castps_pd(self.0);
            let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(upper));
            let eight = _mm256_add_ps(_mm512_castps512_ps256(self.0), upper);
            let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn table(scale: f32, round: bool) -> Self {
        // SAFETY: as above, and the codebook has 16 values.
        unsafe {
            let codebook = _mm512_loadu_ps(CODEBOOK.as_ptr());
            let table = Self(_mm512_mul_ps(codebook, _mm512_set1_ps(scale)));
            if round { table.round_bf16() } else { table }
        }
    }

    #[inline(always)]
    unsafe fn load_nf4(at: *const u8, table: Self) -> [Self; 4] {
        // SAFETY: by the trait, 32 bytes can be read.
        unsafe {
            // The permute looks at 4 bits only, so a shift is all that a code needs.
            let words = _mm512_broadcast_i64x4(_mm256_loadu_si256(at.cast()));
            let first = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 16, 16, 16, 16, 16, 16, 16, 16);
            let words = _mm512_srlv_epi32(words, first);
            [
                Self(_mm512_permutexvar_ps(words, table.0)),
                Self(_mm512_permutexvar_ps(_mm512_srli_epi32::<4>(words), table.0)),
                Self(_mm512_permutexvar_ps(_mm512_srli_epi32::<8>(words), table.0)),
                Self(_mm512_permutexvar_ps(_mm512_srli_epi32::<12>(words), table.0)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const u8) {
        // SAFETY: a prefetch reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
}
