/// No more than `most` of them, spread evenly over all, in their order: the first ones would be of the first ticker alone.
pub(crate) fn spread<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let (rows, most) = (all.len(), most.min(all.len()));
    let mut taken = 0;
    let is_taken = |(row, value)| {
        let is_next = taken < most && row == taken * rows / most;
        taken += usize::from(is_next);
        is_next.then_some(value)
    };
    all.into_iter().enumerate().filter_map(is_taken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_evenly() {
        let check = |rows: usize, most, want: &[usize]| {
            assert_eq!(spread((0..rows).collect(), most), want, "{rows} {most}");
        };
        check(6, 3, &[0, 2, 4]);
        check(7, 3, &[0, 2, 4]);
        check(5, 4, &[0, 1, 2, 3]);
        check(3, usize::MAX, &[0, 1, 2]);
        check(3, 0, &[]);
        check(0, 2, &[]);
    }
}
