#![expect(unsafe_code, reason = "vectors are loaded from pointers")]

use half::bf16;

use crate::lanes::{LANES, Lanes, ROUNDS};

/// A number as it lies in the cache.
pub(in crate::decoder) trait Stored: Copy + Default + Send + Sync {
    /// Whether values are multiples of a scale, one for each vector.
    const SCALED: bool;

    /// Many zeros, without touching their pages.
    fn zeros(len: usize) -> Vec<Self>;

    /// Writes the numbers that stand for a vector of as many values, and returns what they are multiples of: 1 where
    /// they are not.
    fn encode(vector: &[f32], to: &mut [Self]) -> f32;

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

    fn encode(vector: &[f32], to: &mut [Self]) -> f32 {
        to.copy_from_slice(vector);
        1.0
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

    fn encode(vector: &[f32], to: &mut [Self]) -> f32 {
        to.iter_mut().zip(vector).for_each(|(to, &value)| *to = bf16::from_f32(value).to_bits());
        1.0
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

    fn encode(vector: &[f32], to: &mut [Self]) -> f32 {
        let scale = absmax(vector) / 127.0;
        for (to, value) in to.iter_mut().zip(vector) {
            // Only the quotient of a subnormal scale can be larger, and that of zeros is NaN.
            let multiple = (value / scale).clamp(-127.0, 127.0);
            // To the nearest whole number, even at ties: the low bits of the sum.
            *to = (multiple + ROUNDS).to_bits() as i8;
        }
        scale
    }

    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const Self) -> L {
        // SAFETY: passed on.
        unsafe { L::load_i8(from) }
    }
}

/// The largest absolute value; NaN where one is NaN or infinite, so that a broken vector is not taken for a sound one.
fn absmax(vector: &[f32]) -> f32 {
    let mut greatest = [0.0f32; LANES];
    let mut broken = [0.0f32; LANES];
    for chunk in vector.chunks(LANES) {
        for ((greatest, broken), value) in greatest.iter_mut().zip(&mut broken).zip(chunk) {
            *greatest = greatest.max(value.abs());
            *broken += value * 0.0;
        }
    }
    greatest.into_iter().fold(0.0, f32::max) + broken.into_iter().sum::<f32>()
}
