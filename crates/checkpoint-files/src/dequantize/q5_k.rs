use super::half_at;
use super::k_scales::scale_and_minimum;

/// As `Q4_K`, with 32 bytes of fifth bits before the quants: bit `g` of byte `i` belongs to value `i` of group `g`.
pub(super) fn dequantize(block: &[u8; 176], out: &mut [f32; 256]) {
    let (d, d_min) = (half_at(block, 0), half_at(block, 2));
    let (packed, fifths, quants) = (&block[4..16], &block[16..48], &block[48..]);
    for (group, out) in out.chunks_exact_mut(32).enumerate() {
        let (scale, minimum) = scale_and_minimum(packed, group);
        let (d, m) = (d * f32::from(scale), d_min * f32::from(minimum));
        let shift = group % 2 * 4;
        for ((q, fifth), out) in quants[group / 2 * 32..].iter().zip(fifths).zip(out) {
            let q = q >> shift & 0x0F | (fifth >> group & 1) << 4;
            *out = d * f32::from(q) - m;
        }
    }
}
