use serde::Serialize;

/// How long the texts of a split are, in characters; percentiles by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub min: u32,
    /// Half are no longer.
    pub median: u32,
    /// 95 of 100 are no longer.
    pub p95: u32,
    /// The longest.
    pub max: u32,
}

impl Lengths {
    /// `None` without any text. Reorders `lengths`.
    pub(crate) fn of(lengths: &mut [u32]) -> Option<Self> {
        let last = lengths.len().checked_sub(1)?;
        let mut at_rank = |percent: usize| {
            let rank = (lengths.len() * percent).div_ceil(100).max(1) - 1;
            *lengths.select_nth_unstable(rank.min(last)).1
        };
        Some(Self { min: at_rank(0), median: at_rank(50), p95: at_rank(95), max: at_rank(100) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_ranks() {
        let check = |lengths: &[u32], want: [u32; 4]| {
            let [min, median, p95, max] = want;
            let mut lengths = lengths.to_vec();
            lengths.reverse();
            assert_eq!(Lengths::of(&mut lengths), Some(Lengths { min, median, p95, max }));
        };
        check(&[7], [7, 7, 7, 7]);
        check(&[1, 2, 3, 4], [1, 2, 4, 4]);
        check(&(1..=100).collect::<Vec<_>>(), [1, 50, 95, 100]);
        assert_eq!(Lengths::of(&mut []), None);
    }
}
