use half::{bf16, f16};

use super::lanes::Lanes;
use crate::nf4::CODEBOOK;

/// 16 floats without any special instruction.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 16]);

impl Lanes for Portable {
    type Table = [f32; 16];
    const MANY: bool = false;

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([0.0; 16])
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 16])
    }

    #[inline(always)]
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: by the trait, 16 floats can be read.
        Self(unsafe { at.cast::<[f32; 16]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_f16(at: *const u8) -> Self {
        // SAFETY: by the trait, 16 half floats can be read.
        Self(unsafe { at.cast::<[f16; 16]>().read_unaligned() }.map(f16::to_f32))
    }

    #[inline(always)]
    unsafe fn load_i8(at: *const u8) -> Self {
        // SAFETY: by the trait, 16 bytes can be read.
        Self(unsafe { at.cast::<[i8; 16]>().read_unaligned() }.map(f32::from))
    }

    #[inline(always)]
    unsafe fn load_bf16(at: *const u8) -> [Self; 2] {
        // SAFETY: by the trait, 32 bfloat16 can be read.
        let values = unsafe { at.cast::<[[bf16; 2]; 16]>().read_unaligned() };
        [Self(values.map(|v| v[0].to_f32())), Self(values.map(|v| v[1].to_f32()))]
    }

    #[inline(always)]
    unsafe fn fma(mut self, a: Self, b: Self) -> Self {
        self.0.iter_mut().zip(a.0).zip(b.0).for_each(|((s, a), b)| *s += a * b);
        self
    }

    #[inline(always)]
    unsafe fn add(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(s, o)| *s += o);
        self
    }

    #[inline(always)]
    unsafe fn round_bf16(self) -> Self {
        Self(self.0.map(round_bf16))
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let v = self.0;
        let mut halves: [f32; 8] = std::array::from_fn(|i| v[i] + v[i + 8]);
        for width in [4, 2, 1] {
            for i in 0..width {
                halves[i] += halves[i + width];
            }
        }
        halves[0]
    }

    #[inline(always)]
    unsafe fn table(scale: f32, round: bool) -> [f32; 16] {
        CODEBOOK.map(|v| if round { round_bf16(v * scale) } else { v * scale })
    }

    #[inline(always)]
    unsafe fn load_nf4(at: *const u8, table: [f32; 16]) -> [Self; 4] {
        // SAFETY: by the trait, 32 bytes can be read.
        let words = unsafe { at.cast::<[[u8; 4]; 8]>().read_unaligned() }.map(u32::from_le_bytes);
        std::array::from_fn(|s| {
            Self(std::array::from_fn(|l| {
                table[(words[l % 8] >> (16 * (l / 8) + 4 * s) & 0xf) as usize]
            }))
        })
    }

    #[inline(always)]
    unsafe fn prefetch(_: *const u8) {}
}

/// To the nearest bfloat16, ties to even. For finite values only.
#[inline(always)]
fn round_bf16(value: f32) -> f32 {
    let bits = value.to_bits();
    let half = 0x7fff + (bits >> 16 & 1);
    f32::from_bits(bits.wrapping_add(half) & 0xffff_0000)
}
