use super::half_at;

/// 32 values: scale `d` (f16), then 16 bytes, value `i` in the low half of byte `i`, value `i + 16` in the high one.
/// `d · (q − 8)`.
pub(super) fn dequantize(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    let (low, high) = out.split_at_mut(16);
    for ((q, low), high) in block[2..].iter().zip(low).zip(high) {
        *low = d * f32::from((q & 0x0F) as i8 - 8);
        *high = d * f32::from((q >> 4) as i8 - 8);
    }
}
