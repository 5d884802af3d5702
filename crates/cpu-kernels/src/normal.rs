use std::f64::consts::TAU;

/// Normal numbers of mean 0 and variance 1, the same for the same seed.
pub(crate) fn normal(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    (0..len).map(|_| ((-2.0 * uniform().ln()).sqrt() * (TAU * uniform()).cos()) as f32).collect()
}
