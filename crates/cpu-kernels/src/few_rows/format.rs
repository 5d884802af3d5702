//! How 64 weights of a row become four vectors.

use super::inputs::Order;
use super::lanes::Lanes;
use crate::int8;

/// Where a row of weights lies.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Its values or codes.
    pub(super) values: *const u8,
    /// Its scales, one for each 64 values or one for all, where the format has them.
    pub(super) scales: *const f32,
}

/// A form of weights.
pub(super) trait Format {
    /// Bytes of 64 values.
    const BYTES: usize;
    /// The order in which the values come out.
    const ORDER: Order;

    /// The values `64 * step ..` of a row.
    ///
    /// # Safety
    /// As [`Lanes`]; the row must have them.
    unsafe fn unpack<L: Lanes>(row: Row, step: usize) -> [L; 4];
}

/// 32-bit floats, rounded to bfloat16 where `ROUND`.
pub(super) struct F32<const ROUND: bool>;
/// bfloat16.
pub(super) struct Bf16;
/// Half floats, rounded to bfloat16 where `ROUND`.
pub(super) struct F16<const ROUND: bool>;
/// Signed bytes; the scale of a row multiplies its sums.
pub(super) struct Int8;
/// Signed bytes times the absmax of their row, rounded to bfloat16.
pub(super) struct RoundedInt8;
/// 4-bit NormalFloat, rounded to bfloat16 where `ROUND`.
pub(super) struct Nf4<const ROUND: bool>;

impl<const ROUND: bool> Format for F32<ROUND> {
    const BYTES: usize = 256;
    const ORDER: Order = Order::Natural;

    #[inline(always)]
    unsafe fn unpack<L: Lanes>(row: Row, step: usize) -> [L; 4] {
        // SAFETY: the caller has 64 values there.
        unsafe {
            let at = row.values.add(step * Self::BYTES).cast();
            rounded::<L, ROUND>([
                L::load(at),
                L::load(at.add(16)),
                L::load(at.add(32)),
                L::load(at.add(48)),
            ])
        }
    }
}

impl Format for Bf16 {
    const BYTES: usize = 128;
    const ORDER: Order = Order::EvenOdd;

    #[inline(always)]
    unsafe fn unpack<L: Lanes>(row: Row, step: usize) -> [L; 4] {
        // SAFETY: the caller has 64 values there.
        unsafe {
            let at = row.values.add(step * Self::BYTES);
            let [a, b] = L::load_bf16(at);
            let [c, d] = L::load_bf16(at.add(64));
            [a, b, c, d]
        }
    }
}

impl<const ROUND: bool> Format for F16<ROUND> {
    const BYTES: usize = 128;
    const ORDER: Order = Order::Natural;

    #[inline(always)]
    unsafe fn unpack<L: Lanes>(row: Row, step: usize) -> [L; 4] {
        // SAFETY: the caller has 64 values there.
        unsafe {
            let at = row.values.add(step * Self::BYTES);
            rounded::<L, ROUND>([
                L::load_f16(at),
                L::load_f16(at.add(32)),
                L::load_f16(at.add(64)),
                L::load_f16(at.add(96)),
            ])
        }
    }
}

impl Format for Int8 {
    const BYTES: usize = 64;
    const ORDER: Order = Order::Natural;

    #[inline(always)]
    unsafe fn unpack<L: Lanes>(row: Row, step: usize) -> [L; 4] {
        // SAFETY: the caller has 64 values there.
        unsafe {
            let at = row.values.add(step * Self::BYTES);
            [L::load_i8(at), L::load_i8(at.add(16)), L::load_i8(at.add(32)), L::load_i8(at.add(48))]
        }
    }
}

impl Format for RoundedInt8 {
    const BYTES: usize = Int8::BYTES;
    const ORDER: Order = Int8::ORDER;

    #[inline(always)]
    unsafe fn unpack<L: Lanes>(row: Row, step: usize) -> [L; 4] {
        // SAFETY: the caller has 64 values there, and the absmax of the row.
        unsafe {
            let (absmax, step_size) = (L::splat(*row.scales), L::splat(int8::STEP));
            // Two roundings, as the values of a row have them.
            let values = Int8::unpack::<L>(row, step);
            let values = values.map(|v| L::zero().fma(v, absmax));
            rounded::<L, true>(values.map(|v| L::zero().fma(v, step_size)))
        }
    }
}

impl<const ROUND: bool> Format for Nf4<ROUND> {
    const BYTES: usize = 32;
    const ORDER: Order = Order::Nf4;

    #[inline(always)]
    unsafe fn unpack<L: Lanes>(row: Row, step: usize) -> [L; 4] {
        // SAFETY: the caller has 64 values there, and their scale.
        unsafe {
            let table = L::table(*row.scales.add(step), ROUND);
            L::load_nf4(row.values.add(step * Self::BYTES), table)
        }
    }
}

#[inline(always)]
unsafe fn rounded<L: Lanes, const ROUND: bool>(values: [L; 4]) -> [L; 4] {
    if ROUND {
        // SAFETY: the caller has the instructions.
        values.map(|v| unsafe { v.round_bf16() })
    } else {
        values
    }
}
