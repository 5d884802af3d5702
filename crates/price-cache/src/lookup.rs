use chrono::NaiveDate;
use thesis_core::Bar;

/// The index of the last bar at or before `date`: what was known by that day's close. `None` where
/// there is none.
///
/// `bars` ascend by date; O(log n).
pub fn as_of(bars: &[Bar], date: NaiveDate) -> Option<usize> {
    bars.partition_point(|bar| bar.date <= date).checked_sub(1)
}

/// The index of the first bar at or after `date`. `None` where there is none.
///
/// `bars` ascend by date; O(log n).
pub fn at_or_after(bars: &[Bar], date: NaiveDate) -> Option<usize> {
    let index = bars.partition_point(|bar| bar.date < date);
    (index < bars.len()).then_some(index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(n: i32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(738_000 + n).unwrap()
    }

    fn bars(days: &[i32]) -> Vec<Bar> {
        let bar = |n: &i32| Bar {
            date: day(*n),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            adj_close: None,
            volume: 0.0,
        };
        days.iter().map(bar).collect()
    }

    #[test]
    fn before_between_and_after() {
        let bars = bars(&[3, 4, 7]);
        for (n, before, after) in [
            (2, None, Some(0)),
            (3, Some(0), Some(0)),
            (5, Some(1), Some(2)),
            (7, Some(2), Some(2)),
            (8, Some(2), None),
        ] {
            assert_eq!((as_of(&bars, day(n)), at_or_after(&bars, day(n))), (before, after), "{n}");
        }
        assert_eq!((as_of(&[], day(1)), at_or_after(&[], day(1))), (None, None));
    }

    proptest! {
        #[test]
        fn as_a_linear_search_finds(
            days in prop::collection::btree_set(0..60_i32, 0..20), n in 0..60_i32,
        ) {
            let bars = bars(&days.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(as_of(&bars, day(n)), bars.iter().rposition(|b| b.date <= day(n)));
            prop_assert_eq!(at_or_after(&bars, day(n)), bars.iter().position(|b| b.date >= day(n)));
        }
    }
}
