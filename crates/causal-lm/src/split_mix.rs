/// What the state of SplitMix64 moves on by from number to number.
pub(crate) const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The number of a state.
///
/// Source: Steele, Lea and Flood (2014), SplitMix64.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixer_is_splitmix() {
        // The first two numbers of SplitMix64 with state 0, from the authors' splitmix64.c.
        assert_eq!(mix(STEP), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(STEP.wrapping_mul(2)), 0x6E78_9E6A_A1B9_65F4);
    }
}
