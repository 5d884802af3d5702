use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

/// A set of days as ranges, both ends included; ascending, apart from each other.
///
/// Written as `2020-01-01..2020-12-31,2022-01-01..2022-06-30`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DateRanges(Vec<(NaiveDate, NaiveDate)>);

impl DateRanges {
    /// Adds the days from `first` to `last`; none where `first` is after `last`.
    pub fn add(&mut self, first: NaiveDate, last: NaiveDate) {
        if first > last {
            return;
        }
        let (mut first, mut last) = (first, last);
        self.0.retain(|(from, to)| {
            let apart = to.succ_opt().is_some_and(|after| after < first)
                || last.succ_opt().is_some_and(|after| after < *from);
            if !apart {
                (first, last) = (first.min(*from), last.max(*to));
            }
            apart
        });
        let at = self.0.partition_point(|(from, _)| *from < first);
        self.0.insert(at, (first, last));
    }

    /// The days from `first` to `last` that are not in the set, as ranges.
    pub fn missing(&self, first: NaiveDate, last: NaiveDate) -> Vec<(NaiveDate, NaiveDate)> {
        let mut missing = Vec::new();
        let mut next = Some(first);
        for (from, to) in &self.0 {
            let Some(begin) = next.filter(|begin| *begin <= last) else { break };
            if *to < begin {
                continue;
            }
            if begin < *from
                && let Some(end) = from.pred_opt()
            {
                missing.push((begin, end.min(last)));
            }
            next = to.succ_opt();
        }
        if let Some(begin) = next.filter(|begin| *begin <= last) {
            missing.push((begin, last));
        }
        missing
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (NaiveDate, NaiveDate)> {
        self.0.iter().copied()
    }

    /// The first and the last day of the set.
    pub fn hull(&self) -> Option<(NaiveDate, NaiveDate)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }
}

impl fmt::Display for DateRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{first}..{last}")?;
        }
        Ok(())
    }
}

impl FromStr for DateRanges {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut ranges = Self::default();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            // Without the two dots the one date fails to be read, as it should.
            let (first, last) = range.split_once("..").unwrap_or((range, ""));
            ranges.add(first.parse()?, last.parse()?);
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn day(n: i32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(738_000 + n).unwrap()
    }

    #[test]
    fn text_reads_back() {
        for text in ["", "2020-01-01..2020-12-31", "2020-01-01..2020-01-01,2022-01-01..2022-06-30"]
        {
            assert_eq!(text.parse::<DateRanges>().unwrap().to_string(), text);
        }
        for text in ["2020-01-01", "2020-01-01..", "x..y", "2020-01-01..2020-13-01"] {
            assert!(text.parse::<DateRanges>().is_err(), "{text}");
        }
        let mut ranges = DateRanges::default();
        ranges.add(NaiveDate::MIN, NaiveDate::MAX);
        assert_eq!(ranges.missing(NaiveDate::MIN, NaiveDate::MAX), []);
    }

    proptest! {
        #[test]
        fn as_a_set_of_days(
            added in prop::collection::vec((0..40_i32, 0..9_i32), 0..8), from in 0..45_i32, len in -2..20_i32,
        ) {
            let mut ranges = DateRanges::default();
            let mut days = BTreeSet::new();
            for (first, len) in added {
                ranges.add(day(first), day(first + len));
                days.extend(first..=first + len);
            }
            let apart = ranges.0.windows(2).all(|w| w[0].1.succ_opt().unwrap() < w[1].0);
            prop_assert!(apart, "{ranges}");
            prop_assert_eq!(ranges.to_string().parse::<DateRanges>().unwrap(), ranges.clone());
            let hull = days.first().zip(days.last()).map(|(a, b)| (day(*a), day(*b)));
            prop_assert_eq!(ranges.hull(), hull);
            let want: Vec<NaiveDate> =
                (from..=from + len).filter(|n| !days.contains(n)).map(day).collect();
            let missing = ranges.missing(day(from), day(from + len));
            let got: Vec<NaiveDate> = missing
                .iter()
                .flat_map(|(a, b)| a.iter_days().take_while(move |d| d <= b))
                .collect();
            prop_assert_eq!(got, want);
        }
    }
}
