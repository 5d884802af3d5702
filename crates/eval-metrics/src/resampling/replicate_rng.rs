use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// The random numbers of one replicate: they depend on the seed and the replicate's number alone,
/// so that it does not matter which thread draws them.
///
/// Numbers are made of the generator's bits here rather than by rand's distributions, whose values
/// may change from version to version.
#[derive(Debug, Clone)]
pub(crate) struct ReplicateRng(Pcg64Mcg);

impl ReplicateRng {
    pub(crate) fn new(seed: u64, replicate: usize) -> Self {
        let mut state = mix(seed) ^ replicate as u64;
        let mut next = || {
            // The steps of SplitMix64, whose output is a bijection of its state.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            u128::from(mix(state))
        };
        Self(Pcg64Mcg::new((next() << 64) | next()))
    }

    /// An index below `count`; the bias is at most `count/2⁶⁴`.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }

    /// A number from 0 to below 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The finalizer of SplitMix64. Source: Steele, Lea and Flood (2014), Stafford's variant 13.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
