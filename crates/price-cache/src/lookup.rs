use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
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

/// The price that a return is taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnPrice {
    /// The close as the source adjusted it.
    Close,
    /// The close adjusted for splits and dividends: the return that a holder had.
    AdjClose,
}

/// The simple return over `n` sessions from the last bar at or before `date`: the price `n` bars
/// later divided by its price, minus 1.
///
/// NaN where there is no bar at or before `date`, where the data end before the `n`th bar after
/// it, and under [`ReturnPrice::AdjClose`] where either bar has no adjusted close: a return is
/// never taken on a mix of prices. `bars` ascend by date; O(log n).
pub fn forward_return(bars: &[Bar], date: NaiveDate, n: usize, price: ReturnPrice) -> f64 {
    let price_of = |index: usize| {
        let bar = bars.get(index)?;
        match price {
            ReturnPrice::Close => Some(bar.close),
            ReturnPrice::AdjClose => bar.adj_close,
        }
    };
    let ends = || {
        let from = as_of(bars, date)?;
        Some((price_of(from)?, price_of(from.checked_add(n)?)?))
    };
    ends().map_or(f64::NAN, |(from, to)| to / from - 1.0)
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

    #[test]
    fn forward_returns_end_where_the_data_end() {
        let mut bars = bars(&[3, 4, 7, 8]);
        for (bar, (close, adj)) in
            bars.iter_mut().zip([(8.0, Some(4.0)), (4.0, Some(4.0)), (6.0, None), (5.0, Some(5.0))])
        {
            (bar.close, bar.adj_close) = (close, adj);
        }
        let check = |n, sessions, close: Option<f64>, adjusted: Option<f64>| {
            for (price, want) in [(ReturnPrice::Close, close), (ReturnPrice::AdjClose, adjusted)] {
                let got = forward_return(&bars, day(n), sessions, price);
                let got = Some(got).filter(|got| !got.is_nan());
                assert_eq!(got, want, "{n} {sessions} {price:?}");
            }
        };
        check(2, 1, None, None);
        check(3, 0, Some(0.0), Some(0.0));
        check(3, 1, Some(-0.5), Some(0.0));
        check(5, 1, Some(0.5), None);
        check(3, 3, Some(-0.375), Some(0.25));
        check(4, 2, Some(0.25), Some(0.25));
        check(4, 3, None, None);
        check(9, 0, Some(0.0), Some(0.0));
        check(9, usize::MAX, None, None);
    }

    #[test]
    fn forward_returns_of_real_prices() {
        let text = include_str!("../../../fixtures/prices/AAPL.csv");
        let (bars, _) = crate::parse_csv("AAPL.csv", text, thesis_core::DateOrder::Refuse);
        // pandas 3.1.1: `df.close.shift(-5) / df.close - 1`, and the same of `adj_close`. The first
        // Saturday is as the Friday before it.
        for (number, close, adj_close) in [
            (20221104, 0.08180366809496786, 0.08180375257179096),
            (20221105, 0.08180366809496786, 0.08180375257179096),
            (20221230, 0.0016932272135194992, 0.0016932553435704545),
            (20230216, -0.04554030109438478, -0.045540250718439035),
            (20230217, f64::NAN, f64::NAN),
            (20221014, f64::NAN, f64::NAN),
        ] {
            let date = crate::compact_day::day(number);
            for (price, want) in [(ReturnPrice::Close, close), (ReturnPrice::AdjClose, adj_close)] {
                let got = forward_return(&bars, date, 5, price);
                assert!(got == want || got.is_nan() && want.is_nan(), "{date} {price:?}: {got}");
            }
        }
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
