#![expect(unsafe_code, reason = "vector instructions on pointers")]

use std::arch::x86_64::*;

use super::{Kernel, Lanes, avx2};

/// # Safety
///
/// The features named below.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
pub(super) unsafe fn run<K: Kernel>(kernel: K) {
    // SAFETY: passed on.
    unsafe { kernel.run::<Avx512>() }
}

#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

impl Lanes for Avx512 {
    const SUMS: usize = 24;

    functions! {
        splat(value: f32) -> Self = Self(_mm512_set1_ps(value));
        load(from: *const f32) -> Self = Self(_mm512_loadu_ps(from));
        load_first(from: *const f32, n: usize) -> Self = Self(_mm512_maskz_loadu_ps(below(n), from));
        load_bf16(from: *const u16) -> Self = {
            let bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits)))
        };
        load_i8(from: *const i8) -> Self =
            Self(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.cast()))));
        store(self, to: *mut f32) = _mm512_storeu_ps(to, self.0);
        store_first(self, to: *mut f32, n: usize) = _mm512_mask_storeu_ps(to, below(n), self.0);

        add(self, other: Self) -> Self = Self(_mm512_add_ps(self.0, other.0));
        sub(self, other: Self) -> Self = Self(_mm512_sub_ps(self.0, other.0));
        mul(self, other: Self) -> Self = Self(_mm512_mul_ps(self.0, other.0));
        div(self, other: Self) -> Self = Self(_mm512_div_ps(self.0, other.0));
        max(self, other: Self) -> Self = Self(_mm512_max_ps(self.0, other.0));
        min(self, other: Self) -> Self = Self(_mm512_min_ps(self.0, other.0));
        mul_add(self, factor: Self, term: Self) -> Self =
            Self(_mm512_fmadd_ps(self.0, factor.0, term.0));

        select_below(self, bound: Self, below: Self, otherwise: Self) -> Self = {
            let is_below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, bound.0);
            Self(_mm512_mask_blend_ps(is_below, otherwise.0, below.0))
        };
        keep(self, first: usize, end: usize, other: Self) -> Self =
            Self(_mm512_mask_blend_ps(below(end) & !below(first), other.0, self.0));
        power_of_two(self) -> Self = {
            let biased = _mm512_add_epi32(_mm512_castps_si512(self.0), _mm512_set1_epi32(127));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased)))
        };

        first(self) -> f32 = _mm512_cvtss_f32(self.0);
        sum(self) -> f32 = {
            let (low, high) = (_mm512_castps512_ps256(self.0), _mm512_extractf32x8_ps::<1>(self.0));
            avx2::sum(_mm256_add_ps(low, high))
        };
        greatest(self) -> f32 = {
            let (low, high) = (_mm512_castps512_ps256(self.0), _mm512_extractf32x8_ps::<1>(self.0));
            avx2::greatest(_mm256_max_ps(low, high))
        };
    }
}

/// The mask of lanes below `n`, which is at most 16.
#[inline(always)]
fn below(n: usize) -> u16 {
    ((1u32 << n) - 1) as u16
}
