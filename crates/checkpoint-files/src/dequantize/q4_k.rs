use super::half_at;
use super::k_scales::scale_and_minimum;

/// 256 values in eight groups: `d` and `dmin` (f16), 12 bytes of scales and minima, then 128 bytes; 32 bytes hold two groups, the
/// first in the low halves. `(d · scale) · q − (dmin · minimum)`.
pub(super) fn dequantize(block: &[u8; 144], out: &mut [f32; 256]) {
    let (d, d_min) = (half_at(block, 0), half_at(block, 2));
    let (packed, quants) = (&block[4..16], &block[16..]);
    for (group, out) in out.chunks_exact_mut(32).enumerate() {
        let (scale, minimum) = scale_and_minimum(packed, group);
        let (d, m) = (d * f32::from(scale), d_min * f32::from(minimum));
        let shift = group % 2 * 4;
        for (q, out) in quants[group / 2 * 32..].iter().zip(out) {
            *out = d * f32::from(q >> shift & 0x0F) - m;
        }
    }
}
