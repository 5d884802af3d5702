#![expect(unsafe_code, reason = "code for instructions that the processor was asked for")]

use rayon::prelude::*;

use super::BLOCK;
use super::codebook::BOUNDS;
use crate::cpu_features::Isa;
use crate::{Float, WeightError};

/// Blocks that one task takes: 64 KiB of f32.
const TASK: usize = 256;
/// The smallest divisor, so that a block of zeros gives zeros.
const SMALLEST: f32 = 1e-38;

/// Packed codes and absmax of `values`.
pub(super) fn quantize<T: Float>(values: &[T]) -> Result<(Vec<u8>, Vec<f32>), WeightError> {
    let mut packed = vec![0; values.len().div_ceil(2)];
    let mut absmax = vec![0.0; values.len().div_ceil(BLOCK)];
    let isa = Isa::detected();
    packed
        .par_chunks_mut(TASK * BLOCK / 2)
        .zip(absmax.par_chunks_mut(TASK))
        .zip(values.par_chunks(TASK * BLOCK))
        .for_each(|((packed, absmax), values)| blocks(isa, values, packed, absmax));
    match absmax.iter().position(|a| !a.is_finite()) {
        None => Ok((packed, absmax)),
        Some(block) => {
            let start = block * BLOCK;
            let within = values[start..].iter().position(|v| !v.to_f32().is_finite());
            Err(WeightError::NotFinite { part: "values", index: start + within.unwrap_or(0) })
        }
    }
}

/// The blocks of one task, by the instructions at hand; all give the same bits.
fn blocks<T: Float>(isa: Isa, values: &[T], packed: &mut [u8], absmax: &mut [f32]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has been asked for these features.
        Isa::Avx512 => unsafe { blocks_avx512(values, packed, absmax) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Isa::Avx2 => unsafe { blocks_avx2(values, packed, absmax) },
        _ => blocks_any(values, packed, absmax),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,f16c")]
fn blocks_avx512<T: Float>(values: &[T], packed: &mut [u8], absmax: &mut [f32]) {
    blocks_any(values, packed, absmax);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn blocks_avx2<T: Float>(values: &[T], packed: &mut [u8], absmax: &mut [f32]) {
    blocks_any(values, packed, absmax);
}

#[inline(always)]
fn blocks_any<T: Float>(values: &[T], packed: &mut [u8], absmax: &mut [f32]) {
    let packed = packed.chunks_mut(BLOCK / 2);
    for ((values, packed), absmax) in values.chunks(BLOCK).zip(packed).zip(absmax) {
        let mut block = [0.0; BLOCK];
        block.iter_mut().zip(values).for_each(|(b, v)| *b = v.to_f32());
        let largest = largest(&block);
        let codes;
        // As bitsandbytes has it: a short block is divided, and stores the divisor; a whole one is multiplied by the reciprocal.
        if values.len() == BLOCK {
            *absmax = largest;
            let reciprocal = 1.0 / largest.max(SMALLEST);
            codes = block.map(|v| code(v * reciprocal));
        } else {
            // A NaN stays one.
            *absmax = if largest < SMALLEST { SMALLEST } else { largest };
            codes = block.map(|v| code(v / *absmax));
        }
        packed.iter_mut().enumerate().for_each(|(i, p)| *p = codes[2 * i] << 4 | codes[2 * i + 1]);
    }
}

/// The largest absolute value; by its bits, so that a NaN is larger than all.
#[inline(always)]
fn largest(block: &[f32; BLOCK]) -> f32 {
    f32::from_bits(block.iter().fold(0, |max, v| max.max(v.to_bits() & 0x7fff_ffff)))
}

/// The code of a value in [-1, 1]: the number of midpoints below it.
#[inline(always)]
fn code(value: f32) -> u8 {
    BOUNDS.iter().fold(0, |code, bound| code + u8::from(*bound < value))
}
