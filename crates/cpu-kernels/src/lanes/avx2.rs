#![expect(unsafe_code, reason = "vector instructions on pointers")]

use std::arch::x86_64::*;

use super::{Kernel, LANES, Lanes};

/// # Safety
///
/// The features named below.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn run<K: Kernel>(kernel: K) {
    // SAFETY: passed on.
    unsafe { kernel.run::<Avx2>() }
}

#[derive(Clone, Copy)]
pub(super) struct Avx2([__m256; 2]);

/// One instruction for both halves.
macro_rules! halves {
    ($instruction:expr, $($operand:expr),*) => {
        Self([$instruction($($operand.0[0]),*), $instruction($($operand.0[1]),*)])
    };
}

impl Lanes for Avx2 {
    const SUMS: usize = 6;

    functions! {
        splat(value: f32) -> Self = Self([_mm256_set1_ps(value); 2]);
        load(from: *const f32) -> Self = Self([_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))]);
        load_first(from: *const f32, n: usize) -> Self = {
            let [low, high] = lanes_between(0, n);
            let next = from.wrapping_add(8);
            Self([_mm256_maskload_ps(from, low), _mm256_maskload_ps(next, high)])
        };
        load_bf16(from: *const u16) -> Self = {
            let bits = _mm256_loadu_si256(from.cast());
            let low = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(bits));
            let high = _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(bits));
            let [low, high] = [_mm256_slli_epi32::<16>(low), _mm256_slli_epi32::<16>(high)];
            Self([_mm256_castsi256_ps(low), _mm256_castsi256_ps(high)])
        };
        load_i8(from: *const i8) -> Self = {
            let bytes = _mm_loadu_si128(from.cast());
            let low = _mm256_cvtepi8_epi32(bytes);
            let high = _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes));
            Self([_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high)])
        };
        store(self, to: *mut f32) = {
            _mm256_storeu_ps(to, self.0[0]);
            _mm256_storeu_ps(to.add(8), self.0[1]);
        };
        store_first(self, to: *mut f32, n: usize) = {
            let [low, high] = lanes_between(0, n);
            _mm256_maskstore_ps(to, low, self.0[0]);
            _mm256_maskstore_ps(to.wrapping_add(8), high, self.0[1]);
        };

        add(self, other: Self) -> Self = halves!(_mm256_add_ps, self, other);
        sub(self, other: Self) -> Self = halves!(_mm256_sub_ps, self, other);
        mul(self, other: Self) -> Self = halves!(_mm256_mul_ps, self, other);
        div(self, other: Self) -> Self = halves!(_mm256_div_ps, self, other);
        max(self, other: Self) -> Self = halves!(_mm256_max_ps, self, other);
        min(self, other: Self) -> Self = halves!(_mm256_min_ps, self, other);
        mul_add(self, factor: Self, term: Self) -> Self =
            halves!(_mm256_fmadd_ps, self, factor, term);

        select_below(self, bound: Self, below: Self, otherwise: Self) -> Self = {
            let is_below = halves!(_mm256_cmp_ps::<_CMP_LT_OQ>, self, bound);
            halves!(_mm256_blendv_ps, otherwise, below, is_below)
        };
        keep(self, first: usize, end: usize, other: Self) -> Self = {
            let [low, high] = lanes_between(first, end);
            let kept = Self([_mm256_castsi256_ps(low), _mm256_castsi256_ps(high)]);
            halves!(_mm256_blendv_ps, other, self, kept)
        };
        power_of_two(self) -> Self = {
            let bias = _mm256_set1_epi32(127);
            let low = _mm256_add_epi32(_mm256_castps_si256(self.0[0]), bias);
            let high = _mm256_add_epi32(_mm256_castps_si256(self.0[1]), bias);
            let [low, high] = [_mm256_slli_epi32::<23>(low), _mm256_slli_epi32::<23>(high)];
            Self([_mm256_castsi256_ps(low), _mm256_castsi256_ps(high)])
        };

        first(self) -> f32 = _mm256_cvtss_f32(self.0[0]);
        sum(self) -> f32 = sum(_mm256_add_ps(self.0[0], self.0[1]));
        greatest(self) -> f32 = greatest(_mm256_max_ps(self.0[0], self.0[1]));
    }
}

/// # Safety
///
/// AVX2.
#[inline(always)]
pub(super) unsafe fn sum(lanes: __m256) -> f32 {
    // SAFETY: passed on.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

/// # Safety
///
/// AVX2.
#[inline(always)]
pub(super) unsafe fn greatest(lanes: __m256) -> f32 {
    // SAFETY: passed on.
    unsafe {
        let four = _mm_max_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
        let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

/// All bits of the lanes `first..end`, in two halves.
///
/// # Safety
///
/// AVX2.
#[inline(always)]
unsafe fn lanes_between(first: usize, end: usize) -> [__m256i; 2] {
    /// A window of it has ones below, or from, any lane.
    static EDGE: [i32; 3 * LANES] = {
        let mut edge = [0; 3 * LANES];
        let mut i = 0;
        while i < LANES {
            edge[LANES + i] = -1;
            i += 1;
        }
        edge
    };
    // Ones from lane `first` on: the window begins `first` before the ones. Ones below lane `end`: it ends `end` after.
    let (from, to) = (&EDGE[LANES - first..][..LANES], &EDGE[2 * LANES - end..][..LANES]);
    // SAFETY: both windows are 16 long.
    unsafe {
        let (from, to) = (from.as_ptr().cast(), to.as_ptr().cast());
        let low = _mm256_and_si256(_mm256_loadu_si256(from), _mm256_loadu_si256(to));
        let (from, to) = (from.add(1), to.add(1));
        [low, _mm256_and_si256(_mm256_loadu_si256(from), _mm256_loadu_si256(to))]
    }
}
