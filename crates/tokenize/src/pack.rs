use std::collections::BTreeSet;

/// Puts documents of the given lengths into rows of `capacity` tokens, best fit decreasing: the
/// longest first, each into the row that it fills best.
///
/// Rows hold indices into `lengths`, ascending, and stand in the order of their first document; so
/// the result follows from the lengths alone. A document longer than `capacity` gets a row of its
/// own. Takes O(n log n).
///
/// ```
/// assert_eq!(tokenize::pack(&[3, 9, 6, 2], 10), [vec![0, 2], vec![1], vec![3]]);
/// ```
pub fn pack(lengths: &[usize], capacity: usize) -> Vec<Vec<usize>> {
    let mut by_length: Vec<usize> = (0..lengths.len()).collect();
    by_length.sort_by_key(|&index| (std::cmp::Reverse(lengths[index]), index));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut open: BTreeSet<(usize, usize)> = BTreeSet::new();
    for index in by_length {
        let length = lengths[index];
        let best = open.range((length, 0)..).next().copied();
        let (room, row) = match best {
            Some(entry) => {
                open.remove(&entry);
                entry
            }
            None => {
                rows.push(Vec::new());
                (capacity.max(length), rows.len() - 1)
            }
        };
        rows[row].push(index);
        if room > length {
            open.insert((room - length, row));
        }
    }
    rows.iter_mut().for_each(|row| row.sort_unstable());
    rows.sort_unstable_by_key(|row| row[0]);
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_tightest_row_wins() {
        assert_eq!(pack(&[], 4), Vec::<Vec<usize>>::new());
        assert_eq!(pack(&[7, 8, 2, 3], 10), [vec![0, 3], vec![1, 2]]);
        assert_eq!(pack(&[7, 6, 3], 10), [vec![0, 2], vec![1]]);
        assert_eq!(pack(&[12, 1], 10), [vec![0], vec![1]]);
    }

    proptest! {
        #[test]
        fn every_document_once_and_no_row_too_long(
            lengths in prop::collection::vec(1_usize..=64, 0..200),
        ) {
            let rows = pack(&lengths, 64);
            let mut seen: Vec<usize> = rows.concat();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            let used = |row: &Vec<usize>| row.iter().map(|&index| lengths[index]).sum::<usize>();
            prop_assert!(rows.iter().all(|row| used(row) <= 64));
            // The known bound for decreasing fits: 11/9 of the optimum and a bit.
            let optimum = lengths.iter().sum::<usize>().div_ceil(64);
            prop_assert!(rows.len() <= 2 * optimum.max(1));
        }
    }
}
