use rand::Rng;
use rand_pcg::Pcg64Mcg;

/// All rows, each once, as `seed` shuffles them for `epoch`.
pub(super) fn shuffled(rows: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    let mut random = EpochRng::new(seed, "shuffle", epoch);
    // Fisher and Yates, from the end.
    for last in (1..rows).rev() {
        order.swap(last, random.index(last + 1));
    }
    order
}

/// As many rows as there are, drawn with replacement: first a class, each as likely as any other, then a row of it.
///
/// So a row is drawn in inverse proportion to the number of rows of its class.
pub(super) fn balanced(classes: &[Vec<u32>], seed: u64, epoch: u64) -> Vec<u32> {
    let rows: usize = classes.iter().map(Vec::len).sum();
    let mut random = EpochRng::new(seed, "balanced", epoch);
    let mut draw = |_| {
        let class = &classes[random.index(classes.len())];
        class[random.index(class.len())]
    };
    (0..rows).map(&mut draw).collect()
}

/// The random numbers of an epoch, for one purpose.
///
/// Indices are made of the generator's bits here rather than by rand's distributions, whose values may change
/// from version to version: a run that resumes under a later build must see the same order.
struct EpochRng(Pcg64Mcg);

impl EpochRng {
    fn new(seed: u64, purpose: &str, epoch: u64) -> Self {
        let absorb = |state: u64, value: u64| mix(state.wrapping_add(GOLDEN) ^ value);
        let mut state = absorb(mix(seed), epoch);
        for byte in purpose.bytes() {
            state = absorb(state, u64::from(byte));
        }
        let high = u128::from(absorb(state, 1));
        let low = u128::from(absorb(state, 2));
        Self(Pcg64Mcg::new((high << 64) | low))
    }

    /// An index below `count`; the bias is at most `count/2⁶⁴`.
    fn index(&mut self, count: usize) -> usize {
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }
}

/// The increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of SplitMix64. Source: Steele, Lea and Flood (2014), Stafford's variant 13.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_seed_never_changes() {
        assert_eq!(shuffled(0, 7, 0), Vec::<u32>::new());
        assert_eq!(shuffled(1, 7, 0), [0]);
        // By the definitions of the generator and of the shuffle, written again in Python.
        assert_eq!(shuffled(10, 7, 0), [9, 8, 6, 2, 7, 0, 3, 4, 5, 1]);
        assert_ne!(shuffled(10, 7, 0), shuffled(10, 7, 1));
        assert_ne!(shuffled(10, 7, 0), shuffled(10, 8, 0));
    }

    #[test]
    fn every_place_is_as_likely() {
        // 5! orders, 24,000 draws: each place has each row 4,800 times, with a deviation of 62.
        let mut counts = [[0_i32; 5]; 5];
        for epoch in 0..24_000 {
            for (place, row) in shuffled(5, 1, epoch).into_iter().enumerate() {
                counts[place][row as usize] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count| (count - 4_800).abs() < 310), "{counts:?}");
    }

    #[test]
    fn rare_classes_are_drawn_as_often_as_frequent_ones() {
        let classes = [(0..9_000).collect(), (9_000..9_900).collect(), (9_900..10_000).collect()];
        let drawn = balanced(&classes, 3, 0);
        assert_eq!(drawn.len(), 10_000);
        for class in &classes {
            let of_class = drawn.iter().filter(|row| class.contains(row)).count() as i64;
            assert!((of_class - 3_333).abs() < 240, "{of_class}");
        }
    }
}
