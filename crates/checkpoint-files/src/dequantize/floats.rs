/// Little-endian f32.
pub(super) fn f32(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, f32::from_le_bytes);
}

/// IEEE half precision; exact.
pub(super) fn f16(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |bytes| half::f16::from_le_bytes(bytes).to_f32());
}

/// The upper half of an f32; exact.
pub(super) fn bf16(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16));
}

/// Double precision, rounded to nearest, ties to even.
pub(super) fn f64(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, |bytes| f64::from_le_bytes(bytes) as f32);
}

fn each<const N: usize>(bytes: &[u8], out: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    let (chunks, _) = bytes.as_chunks::<N>();
    for (chunk, out) in chunks.iter().zip(out) {
        *out = number(*chunk);
    }
}
