use super::half_at;

/// 256 values: 128 bytes of lower halves, 64 bytes of upper bits, 16 signed scales (one for 16 values), `d` (f16).
/// `(d · scale) · (q − 32)`.
///
/// Each half of the block has four groups of 32: 64 bytes hold the lower bits of groups 0 and 1 in their low halves,
/// of 2 and 3 in their high ones; 32 bytes hold the upper two bits of all four, group 0 lowest.
pub(super) fn dequantize(block: &[u8; 210], out: &mut [f32; 256]) {
    let d = half_at(block, 208);
    let (lower, upper, scales) = (&block[..128], &block[128..192], &block[192..208]);
    for (number, out) in out.chunks_exact_mut(32).enumerate() {
        let (half, group) = (number / 4, number % 4);
        let lower = &lower[half * 64 + group % 2 * 32..];
        let upper = &upper[half * 32..];
        let (lower_shift, upper_shift) = (group / 2 * 4, group * 2);
        for (i, out) in out.iter_mut().enumerate() {
            let d = d * f32::from(scales[number * 2 + i / 16] as i8);
            let q = lower[i] >> lower_shift & 0x0F | (upper[i] >> upper_shift & 3) << 4;
            *out = d * f32::from(q as i8 - 32);
        }
    }
}
