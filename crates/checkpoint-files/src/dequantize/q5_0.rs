use super::half_at;

/// 32 values: scale `d` (f16), 32 fifth bits, then 16 bytes as in `Q4_0`. `d · (q − 16)`.
pub(super) fn dequantize(block: &[u8; 22], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    let fifth = u32::from_le_bytes([block[2], block[3], block[4], block[5]]);
    let (low, high) = out.split_at_mut(16);
    for (i, ((q, low), high)) in block[6..].iter().zip(low).zip(high).enumerate() {
        let (bit, bit_high) = ((fifth >> i) as u8 & 1, (fifth >> (i + 16)) as u8 & 1);
        *low = d * f32::from((q & 0x0F | bit << 4) as i8 - 16);
        *high = d * f32::from((q >> 4 | bit_high << 4) as i8 - 16);
    }
}
