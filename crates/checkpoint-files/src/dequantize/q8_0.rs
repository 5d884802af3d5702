use super::half_at;

/// 32 values: scale `d` (f16), then a signed byte each. `q · d`.
pub(super) fn dequantize(block: &[u8; 34], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (q, out) in block[2..].iter().zip(out) {
        *out = f32::from(*q as i8) * d;
    }
}
