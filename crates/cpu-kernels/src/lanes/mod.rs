#![expect(unsafe_code, reason = "vector instructions on pointers")]

//! Sixteen f32 at a time, on any processor: a kernel is written once over [`Lanes`] and compiled for each instruction set.
//!
//! With AVX2 and AVX-512 a kernel does the same operations in the same order, so their results are equal to the bit.

/// Functions of [`Lanes`] that are one expression: what each needs is said there.
#[cfg(target_arch = "x86_64")]
macro_rules! functions {
    ($($name:ident($($args:tt)*) $(-> $out:ty)? = $body:expr;)*) => {
        $(
            #[inline(always)]
            unsafe fn $name($($args)*) $(-> $out)? {
                // SAFETY: passed on.
                unsafe { $body }
            }
        )*
    };
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use crate::cpu_features::Isa;

/// Values of a vector: a cache line of f32.
pub(crate) const LANES: usize = 16;

/// Adding and subtracting it rounds to a whole number, to even at ties; the low bits of the sum are that number.
pub(crate) const ROUNDS: f32 = 12_582_912.0;

/// Sixteen f32, one vector or several.
///
/// # Safety
///
/// Every function needs the instructions of its type, which is so inside of [`Kernel::run`] as called by [`run_on`];
/// those with pointers need 16 readable or writable values there, or as many as they are told.
pub(crate) trait Lanes: Copy {
    /// How many of them hold sums at the same time without leaving the registers.
    const SUMS: usize;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    /// The first `n` values, zeros behind them; `n` is at most 16.
    unsafe fn load_first(from: *const f32, n: usize) -> Self;
    /// Values of bfloat16 by their bits.
    unsafe fn load_bf16(from: *const u16) -> Self;
    unsafe fn load_i8(from: *const i8) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// Stores the first `n` values; `n` is at most 16.
    unsafe fn store_first(self, to: *mut f32, n: usize);

    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// `self · factor + term`; rounded once, except on portable vectors.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The greater one; `other` where either is NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// The lesser one; `other` where either is NaN.
    unsafe fn min(self, other: Self) -> Self;

    /// `below` where `self < bound`, `otherwise` elsewhere and at NaN.
    unsafe fn select_below(self, bound: Self, below: Self, otherwise: Self) -> Self;
    /// `self` in lanes `first..end`, `other` elsewhere.
    unsafe fn keep(self, first: usize, end: usize, other: Self) -> Self;
    /// `2^n` where `self` is [`ROUNDS`]` + n` for `n` from -127, which gives zero, to 128, which gives infinity.
    unsafe fn power_of_two(self) -> Self;

    /// Lane 0.
    unsafe fn first(self) -> f32;
    /// Sum of all lanes: halves are added until one is left.
    unsafe fn sum(self) -> f32;
    /// The greatest lane; with NaN among them, any.
    unsafe fn greatest(self) -> f32;
}

/// A loop over vectors, with its operands.
pub(crate) trait Kernel {
    /// # Safety
    ///
    /// The processor must have the instructions of `L`. Implementations are `#[inline(always)]`, as is all that they
    /// call with vectors: only so are they compiled for these instructions.
    unsafe fn run<L: Lanes>(self);
}

/// Runs a kernel with the instructions of `isa`.
///
/// # Panics
///
/// Where the processor does not have them.
pub(crate) fn run_on<K: Kernel>(isa: Isa, kernel: K) {
    assert!(isa <= Isa::detected());
    // SAFETY: the processor has the instructions, as was just checked.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::run(kernel),
            _ => kernel.run::<portable::Portable>(),
        }
    }
}
