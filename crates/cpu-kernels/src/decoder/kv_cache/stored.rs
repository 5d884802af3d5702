#![expect(unsafe_code, reason = "vectors are loaded from pointers")]

use half::bf16;

use crate::decoder::lanes::Lanes;

/// A number as it lies in the cache.
pub(in crate::decoder) trait Stored: Copy + Default + Send + Sync {
    /// Whether values are multiples of a scale, one for each vector.
    const SCALED: bool;

    /// Many zeros, without touching their pages.
    fn zeros(len: usize) -> Vec<Self>;

    /// What the numbers of a vector are multiples of; 1 where they are not.
    fn scale(vector: &[f32]) -> f32;

    /// The number that stands for `value` at this scale.
    fn store(value: f32, scale: f32) -> Self;

    /// Sixteen numbers, without their scale.
    ///
    /// # Safety
    ///
    /// As [`Lanes`]; sixteen numbers there.
    unsafe fn load<L: Lanes>(from: *const Self) -> L;
}

impl Stored for f32 {
    const SCALED: bool = false;

    fn zeros(len: usize) -> Vec<Self> {
        vec![0.0; len]
    }

    fn scale(_: &[f32]) -> f32 {
        1.0
    }

    #[inline(always)]
    fn store(value: f32, _: f32) -> Self {
        value
    }

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const Self) -> L {
        // SAFETY: passed on.
        unsafe { L::load(from) }
    }
}

/// The bits of a bfloat16.
impl Stored for u16 {
    const SCALED: bool = false;

    fn zeros(len: usize) -> Vec<Self> {
        vec![0; len]
    }

    fn scale(_: &[f32]) -> f32 {
        1.0
    }

    #[inline(always)]
    fn store(value: f32, _: f32) -> Self {
        bf16::from_f32(value).to_bits()
    }

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const Self) -> L {
        // SAFETY: passed on.
        unsafe { L::load_bf16(from) }
    }
}

/// A multiple of 1/127 of the vector's largest value.
impl Stored for i8 {
    const SCALED: bool = true;

    fn zeros(len: usize) -> Vec<Self> {
        vec![0; len]
    }

    fn scale(vector: &[f32]) -> f32 {
        // NaN stays NaN, so that a broken vector is not taken for zeros.
        let larger = |a: f32, b: &f32| if a >= b.abs() || a.is_nan() { a } else { b.abs() };
        vector.iter().fold(0.0, larger) / 127.0
    }

    #[inline(always)]
    fn store(value: f32, scale: f32) -> Self {
        // To the nearest whole number, even at ties; a vector of zeros has the scale 0, and NaN becomes 0.
        const ROUNDS: f32 = crate::decoder::lanes::ROUNDS;
        ((value / scale + ROUNDS) - ROUNDS) as i8
    }

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const Self) -> L {
        // SAFETY: passed on.
        unsafe { L::load_i8(from) }
    }
}
