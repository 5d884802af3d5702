//! The numbers of fixtures/optimizer/make_adamw.py, to the bit.

/// `count` numbers from -scale to scale.
pub(crate) fn numbers(seed: u64, count: usize, scale: f64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((state >> 40) as f64 - 8_388_608.0) / 8_388_608.0 * scale) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// Scales over several powers of ten, and some exact zeros.
pub(crate) fn gradient(step: u64, count: usize) -> Vec<f32> {
    let scales = numbers(7, count, 1.0);
    let values = numbers(1000 + step, count, 1.0);
    let scaled = values.iter().zip(scales).map(|(value, x)| value * (x * x * (x * x) + 1e-6));
    scaled.enumerate().map(|(i, value)| if i % 17 == 0 { 0.0 } else { value }).collect()
}
