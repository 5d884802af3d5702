/// A number in `0..1` for draw `index` under `seed`: the same whatever was drawn before, or beside it.
///
/// Source: Steele, Lea and Flood (2014), SplitMix64, whose state is a counter.
pub(super) fn uniform(seed: u64, index: u64) -> f64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    // Mixing the seed first keeps the sequences of neighbouring seeds apart.
    let key = mix(seed.wrapping_add(STEP));
    let bits = mix(key.wrapping_add(index.wrapping_add(1).wrapping_mul(STEP)));
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
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

    #[test]
    fn mixer_is_splitmix() {
        // The first two numbers of SplitMix64 with state 0, from the authors' splitmix64.c.
        assert_eq!(mix(0x9E37_79B9_7F4A_7C15), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(0x9E37_79B9_7F4A_7C15u64.wrapping_mul(2)), 0x6E78_9E6A_A1B9_65F4);
    }
}
