/// Root mean square norm of each row: `x / √(mean(x²) + eps) · weight`.
///
/// `x` and `out` are `[rows, weight.len()]`. The mean is taken in f32.
///
/// Source: Zhang and Sennrich (2019).
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let width = weight.len().max(1);
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let mean = x.iter().map(|x| x * x).sum::<f32>() / width as f32;
        let factor = 1.0 / (mean + eps).sqrt();
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
            *out = x * factor * weight;
        }
    }
}
