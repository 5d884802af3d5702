//! Seeds of random choices. Each derives from the run's seed, what it is for, and numbers such as a step; so no state
//! has to be kept, and a resumed run chooses as it would have.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// The seed for a purpose.
pub(crate) fn derive(seed: u64, purpose: &str, numbers: &[u64]) -> u64 {
    let state = numbers.iter().fold(mix(seed), |state, &number| absorb(state, number));
    purpose.bytes().fold(state, |state, byte| absorb(state, u64::from(byte)))
}

/// Random indices for a purpose.
///
/// They are made of the generator's bits here rather than by rand's distributions, whose values may change from version to
/// version: a run that resumes under a later build must choose the same.
pub(crate) struct Indices(Pcg64Mcg);

impl Indices {
    pub(crate) fn new(seed: u64, purpose: &str, numbers: &[u64]) -> Self {
        let state = derive(seed, purpose, numbers);
        let (high, low) = (u128::from(absorb(state, 1)), u128::from(absorb(state, 2)));
        Self(Pcg64Mcg::new((high << 64) | low))
    }

    /// An index below `count`; the bias is at most `count/2⁶⁴`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }
}

fn absorb(state: u64, value: u64) -> u64 {
    mix(state.wrapping_add(GOLDEN) ^ value)
}

/// The increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of SplitMix64. Source: Steele, Lea and Flood (2014), Stafford's variant 13.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
