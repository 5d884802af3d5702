use crate::split_mix::{STEP, mix};

/// A number in `0..1` for draw `index` under `seed`: the same whatever was drawn before, or beside it.
///
/// Source: Steele, Lea and Flood (2014), SplitMix64, whose state is a counter.
pub(super) fn uniform(seed: u64, index: u64) -> f64 {
    // Mixing the seed first keeps the sequences of neighbouring seeds apart.
    let key = mix(seed.wrapping_add(STEP));
    let bits = mix(key.wrapping_add(index.wrapping_add(1).wrapping_mul(STEP)));
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers are spread evenly over both arguments: chi-square with 99 degrees of freedom, whose 0.001 quantiles
    /// are 60.1 and 149.4.
    #[test]
    fn even() {
        let check = |draw: &dyn Fn(u64) -> f64| {
            let mut counts = [0u32; 100];
            for i in 0..100_000 {
                counts[(draw(i) * 100.0) as usize] += 1;
            }
            let chi: f64 = counts.iter().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
            assert!((60.0..150.0).contains(&chi), "{chi}");
        };
        check(&|i| uniform(0, i));
        check(&|i| uniform(i, 0));
        check(&|i| uniform(i, i));
    }
}
