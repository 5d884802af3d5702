use super::half_at;

/// 32 values: scale `d` and minimum `m` (f16), then 16 bytes as in `Q4_0`. `d · q + m`, rounded after each step.
pub(super) fn dequantize(block: &[u8; 20], out: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    let (low, high) = out.split_at_mut(16);
    for ((q, low), high) in block[4..].iter().zip(low).zip(high) {
        *low = d * f32::from(q & 0x0F) + m;
        *high = d * f32::from(q >> 4) + m;
    }
}
