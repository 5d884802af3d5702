use half::f16;
use half::slice::HalfFloatSliceExt;

/// Values that are aligned at once.
const HALVES: usize = 256;

/// Little-endian f32.
pub(super) fn f32(bytes: &[u8], out: &mut [f32]) {
    each(bytes, out, f32::from_le_bytes);
}

/// IEEE half precision; exact.
pub(super) fn f16(bytes: &[u8], out: &mut [f32]) {
    // Slices are converted several times as fast as single numbers, but must be aligned, which bytes of a file need not be.
    let mut halves = [f16::ZERO; HALVES];
    for (bytes, out) in bytes.chunks(2 * HALVES).zip(out.chunks_mut(HALVES)) {
        let halves = &mut halves[..out.len()];
        for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks().0) {
            *half = f16::from_le_bytes(*bytes);
        }
        halves.convert_to_f32_slice(out);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every half there is, by the definition of IEEE 754 in double precision.
    #[test]
    fn every_half() {
        let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let mut out = vec![0.0; 1 << 16];
        f16(&bytes, &mut out);
        for (bits, got) in out.into_iter().enumerate() {
            let (sign, exponent, mantissa) = (bits >> 15, bits >> 10 & 31, (bits & 1023) as f64);
            let magnitude = match exponent {
                0 => mantissa * 2_f64.powi(-24),
                31 if mantissa == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + mantissa / 1024.0) * 2_f64.powi(exponent as i32 - 15),
            };
            let want = if sign == 1 { -magnitude } else { magnitude } as f32;
            let is_same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
            assert!(is_same, "{bits:04x}: {got} for {want}");
        }
    }

    #[test]
    fn any_number_of_halves_at_any_place() {
        let bytes: Vec<u8> = [1.0, -2.0, 0.5]
            .repeat(200)
            .into_iter()
            .flat_map(|x| f16::from_f32(x).to_le_bytes())
            .collect();
        let shifted = [&[0][..], &bytes].concat();
        for n in [0, 1, 255, 256, 257, 512, 600] {
            let mut out = vec![9.0; n];
            f16(&shifted[1..1 + 2 * n], &mut out);
            assert_eq!(out, [1.0, -2.0, 0.5].repeat(200)[..n], "{n}");
        }
    }
}
