//! Which rank sums which elements, and how.

use std::ops::Range;

use ::mpi::traits::Equivalence;

use super::call::Kind;

/// A value that ranks sum.
pub(crate) trait Summed: Equivalence + Copy + Default {
    const KIND: Kind;
    fn widen(self) -> f64;
    fn narrow(sum: f64) -> Self;
}

impl Summed for f32 {
    const KIND: Kind = Kind::Sum;

    fn widen(self) -> f64 {
        f64::from(self)
    }

    fn narrow(sum: f64) -> Self {
        sum as Self
    }
}

impl Summed for f64 {
    const KIND: Kind = Kind::SumF64;

    fn widen(self) -> f64 {
        self
    }

    fn narrow(sum: f64) -> Self {
        sum
    }
}

/// The part of `length` values that a rank sums; the parts of all ranks follow one another and differ by at most one in length.
pub(super) fn part(length: usize, rank: usize, world_size: usize) -> Range<usize> {
    let (each, rest) = (length / world_size, length % world_size);
    let start = rank * each + rank.min(rest);
    start..start + each + usize::from(rank < rest)
}

/// Element-wise sum in the order of the ranks, in f64, rounded once.
pub(super) fn in_rank_order<T: Summed>(ranks: &[&[T]]) -> Vec<T> {
    let Some((first, others)) = ranks.split_first() else {
        return Vec::new();
    };
    // The first value as it is, not added to 0: the sum of negative zeros is one.
    let mut sums: Vec<f64> = first.iter().map(|value| value.widen()).collect();
    for values in others {
        for (sum, value) in sums.iter_mut().zip(*values) {
            *sum += value.widen();
        }
    }
    sums.into_iter().map(T::narrow).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_follow_one_another(length in 0_usize..1000, world_size in 1_usize..40) {
            let mut end = 0;
            for rank in 0..world_size {
                let part = part(length, rank, world_size);
                prop_assert_eq!(part.start, end);
                prop_assert!(part.len() == length / world_size || part.len() == length / world_size + 1);
                end = part.end;
            }
            prop_assert_eq!(end, length);
        }
    }

    fn check(ranks: &[&[f32]], expected: &[f32]) {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&in_rank_order(ranks)), bits(expected), "{ranks:?}");
    }

    #[test]
    fn sums() {
        check(&[], &[]);
        check(&[&[1.0, -0.0], &[2.0, -0.0]], &[3.0, -0.0]);
        // In f32, 1e8 + 1 is 1e8: the ones would be lost.
        check(&[&[1e8], &[1.0], &[-1e8], &[1.0]], &[2.0]);
        check(&[&[f32::MAX], &[f32::MAX], &[-f32::MAX]], &[f32::MAX]);
        check(&[&[f32::INFINITY], &[1.0]], &[f32::INFINITY]);
        assert!(in_rank_order(&[&[f32::NAN][..], &[1.0]])[0].is_nan());
    }
}
