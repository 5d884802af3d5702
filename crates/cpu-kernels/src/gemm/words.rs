#![expect(unsafe_code, reason = "vector instructions")]

use half::bf16;

use crate::cpu_features::Isa;

/// Rounds to bf16, to nearest and ties to even, and stays f32.
pub(super) fn round(values: &mut [f32]) {
    for value in values {
        *value = bf16::from_f32(*value).to_f32();
    }
}

/// Values that follow each other, rounded to bf16, become a word; zeros fill up.
pub(super) fn adjacent_pairs(values: &[f32], words: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx512bf16") && Isa::detected() == Isa::Avx512 {
        // SAFETY: the features are there.
        unsafe { avx512::adjacent_pairs(values, words) };
        return;
    }
    let mut pairs = values.chunks(2);
    for word in words {
        let pair = pairs.next().unwrap_or_default();
        *word = pair_of(pair.first(), pair.get(1));
    }
}

/// Values of two rows, rounded to bf16, become words; without a second row, it is zero.
pub(super) fn row_pairs(first: &[f32], second: &[f32], words: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx512bf16") && Isa::detected() == Isa::Avx512 {
        // SAFETY: the features are there.
        unsafe { avx512::row_pairs(first, second, words) };
        return;
    }
    for (i, word) in words.iter_mut().enumerate() {
        *word = pair_of(first.get(i), second.get(i));
    }
}

fn pair_of(first: Option<&f32>, second: Option<&f32>) -> f32 {
    let bits =
        |value: Option<&f32>| u32::from(bf16::from_f32(value.copied().unwrap_or(0.0)).to_bits());
    f32::from_bits(bits(first) | bits(second) << 16)
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) fn adjacent_pairs(values: &[f32], words: &mut [f32]) {
        let mut values = values.chunks(32);
        for words in words.chunks_mut(16) {
            let pair = values.next().unwrap_or_default();
            let (low, high) = pair.split_at(pair.len().min(16));
            store(words, to_bf16(load(low), load(high)));
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) fn row_pairs(first: &[f32], second: &[f32], words: &mut [f32]) {
        let order: [u16; 32] = std::array::from_fn(|i| (i / 2 + i % 2 * 16) as u16);
        // SAFETY: both are 512 plain bits.
        let order = unsafe { std::mem::transmute::<[u16; 32], __m512i>(order) };
        let mut second = second.chunks(16);
        let mut first = first.chunks(16);
        for words in words.chunks_mut(16) {
            let (first, second) =
                (first.next().unwrap_or_default(), second.next().unwrap_or_default());
            let both = to_bf16(load(first), load(second));
            store(words, _mm512_permutexvar_epi16(order, both));
        }
    }

    /// 32 values rounded to bf16; subnormal ones become zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn to_bf16(low: __m512, high: __m512) -> __m512i {
        // SAFETY: both are 512 plain bits.
        unsafe { std::mem::transmute(_mm512_cvtne2ps_pbh(high, low)) }
    }

    /// Up to 16 values; zeros fill up.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn load(values: &[f32]) -> __m512 {
        // SAFETY: the mask has no bit beyond the slice.
        unsafe { _mm512_maskz_loadu_ps(mask(values.len()), values.as_ptr()) }
    }

    /// Up to 16 words.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn store(words: &mut [f32], bits: __m512i) {
        // SAFETY: the mask has no bit beyond the slice.
        unsafe { _mm512_mask_storeu_epi32(words.as_mut_ptr().cast(), mask(words.len()), bits) };
    }

    fn mask(n: usize) -> __mmask16 {
        if n >= 16 { !0 } else { (1 << n) - 1 }
    }
}
