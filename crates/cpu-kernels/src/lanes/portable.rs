#![expect(unsafe_code, reason = "operands come as pointers, as to every kernel")]

use std::{array, ptr};

use super::{LANES, Lanes};

/// An array that the compiler puts into whatever vectors there are.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, each: impl Fn(f32, f32) -> f32) -> Self {
        Self(array::from_fn(|i| each(self.0[i], other.0[i])))
    }

    /// Halves are joined until one lane is left.
    #[inline(always)]
    fn fold(mut self, each: impl Fn(f32, f32) -> f32) -> f32 {
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                self.0[i] = each(self.0[i], self.0[i + half]);
            }
        }
        self.0[0]
    }
}

impl Lanes for Portable {
    const SUMS: usize = 3;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: 16 values, as the trait asks; an array has the alignment of its values.
        Self(unsafe { ptr::read(from.cast()) })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, n: usize) -> Self {
        // SAFETY: `n` values, as the trait asks.
        Self(array::from_fn(|i| if i < n { unsafe { *from.add(i) } } else { 0.0 }))
    }

    #[inline(always)]
    unsafe fn load_bf16(from: *const u16) -> Self {
        // SAFETY: 16 values, as the trait asks.
        Self(array::from_fn(|i| f32::from_bits(u32::from(unsafe { *from.add(i) }) << 16)))
    }

    #[inline(always)]
    unsafe fn load_i8(from: *const i8) -> Self {
        // SAFETY: 16 values, as the trait asks.
        Self(array::from_fn(|i| f32::from(unsafe { *from.add(i) })))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: 16 values, as the trait asks.
        unsafe { ptr::write(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, n: usize) {
        for i in 0..n {
            // SAFETY: `n` values, as the trait asks.
            unsafe { *to.add(i) = self.0[i] }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        // A fused one would be a function call where the processor lacks it.
        Self(array::from_fn(|i| self.0[i] * factor.0[i] + term.0[i]))
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    unsafe fn select_below(self, bound: Self, below: Self, otherwise: Self) -> Self {
        Self(array::from_fn(|i| if self.0[i] < bound.0[i] { below.0[i] } else { otherwise.0[i] }))
    }

    #[inline(always)]
    unsafe fn keep(self, first: usize, end: usize, other: Self) -> Self {
        Self(array::from_fn(|i| if (first..end).contains(&i) { self.0[i] } else { other.0[i] }))
    }

    #[inline(always)]
    unsafe fn power_of_two(self) -> Self {
        Self(self.0.map(|x| f32::from_bits(x.to_bits().wrapping_add(127) << 23)))
    }

    #[inline(always)]
    unsafe fn first(self) -> f32 {
        self.0[0]
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        self.fold(|a, b| a + b)
    }

    #[inline(always)]
    unsafe fn greatest(self) -> f32 {
        self.fold(|a, b| if a > b { a } else { b })
    }
}
