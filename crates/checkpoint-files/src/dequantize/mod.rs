//! Stored bytes to f32: one file a type of blocks, each as `dequantize` of the Python package gguf 0.19 has it.

mod floats;
mod k_scales;
mod q4_0;
mod q4_1;
mod q4_k;
mod q5_0;
mod q5_1;
mod q5_k;
mod q6_k;
mod q8_0;

use half::f16;
use rayon::prelude::*;

use crate::StoredDtype;

/// Values that a thread takes at once; a multiple of every block.
const PART: usize = 1 << 16;

/// Converts all of `bytes`, which must hold as many values as `out` has. Types that are no floats leave `out` as it is.
pub(crate) fn to_f32(dtype: StoredDtype, bytes: &[u8], out: &mut [f32]) {
    let (values, block_bytes) = dtype.block();
    let part_bytes = PART / values * block_bytes;
    if out.len() <= PART {
        return convert(dtype, bytes, out);
    }
    out.par_chunks_mut(PART)
        .zip(bytes.par_chunks(part_bytes))
        .for_each(|(out, bytes)| convert(dtype, bytes, out));
}

fn convert(dtype: StoredDtype, bytes: &[u8], out: &mut [f32]) {
    match dtype {
        StoredDtype::F32 => floats::f32(bytes, out),
        StoredDtype::F16 => floats::f16(bytes, out),
        StoredDtype::Bf16 => floats::bf16(bytes, out),
        StoredDtype::F64 => floats::f64(bytes, out),
        StoredDtype::Q4_0 => blocks(bytes, out, q4_0::dequantize),
        StoredDtype::Q4_1 => blocks(bytes, out, q4_1::dequantize),
        StoredDtype::Q5_0 => blocks(bytes, out, q5_0::dequantize),
        StoredDtype::Q5_1 => blocks(bytes, out, q5_1::dequantize),
        StoredDtype::Q8_0 => blocks(bytes, out, q8_0::dequantize),
        StoredDtype::Q4K => blocks(bytes, out, q4_k::dequantize),
        StoredDtype::Q5K => blocks(bytes, out, q5_k::dequantize),
        StoredDtype::Q6K => blocks(bytes, out, q6_k::dequantize),
        _ => debug_assert!(!dtype.is_float(), "{dtype} is a float"),
    }
}

/// Block after block.
fn blocks<const BYTES: usize, const VALUES: usize>(
    bytes: &[u8],
    out: &mut [f32],
    dequantize: impl Fn(&[u8; BYTES], &mut [f32; VALUES]),
) {
    let (blocks, _) = bytes.as_chunks::<BYTES>();
    let (outs, _) = out.as_chunks_mut::<VALUES>();
    for (block, out) in blocks.iter().zip(outs) {
        dequantize(block, out);
    }
}

/// A scale as blocks hold it.
fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}
