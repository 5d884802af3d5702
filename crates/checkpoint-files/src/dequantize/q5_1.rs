use super::half_at;

/// 32 values: scale `d` and minimum `m` (f16), 32 fifth bits, then 16 bytes as in `Q4_0`. `d · q + m`.
pub(super) fn dequantize(block: &[u8; 24], out: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    let fifth = u32::from_le_bytes([block[4], block[5], block[6], block[7]]);
    let (low, high) = out.split_at_mut(16);
    for (i, ((q, low), high)) in block[8..].iter().zip(low).zip(high).enumerate() {
        let (bit, bit_high) = ((fifth >> i) as u8 & 1, (fifth >> (i + 16)) as u8 & 1);
        *low = d * f32::from(q & 0x0F | bit << 4) + m;
        *high = d * f32::from(q >> 4 | bit_high << 4) + m;
    }
}
