use std::cmp::Reverse;

/// Rows in groups of `size`, the longest first, so that rows of a group are alike and the end comes quickly. Rows of the
/// same length keep their order.
///
/// The groups follow from the lengths alone: a run that goes on makes the same ones.
pub fn fixed_groups(lengths: &[usize], size: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..lengths.len()).collect();
    rows.sort_by_key(|&row| Reverse(lengths[row]));
    rows.chunks(size.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_first_and_ties_in_order() {
        let check = |lengths: &[usize], size, want: &[&[usize]]| {
            assert_eq!(fixed_groups(lengths, size), want, "{lengths:?} {size}");
        };
        check(&[], 2, &[]);
        check(&[3, 5, 5, 1, 9], 2, &[&[4, 1], &[2, 0], &[3]]);
        check(&[1, 1, 1], 0, &[&[0], &[1], &[2]]);
        check(&[1, 2], 9, &[&[1, 0]]);
    }
}
