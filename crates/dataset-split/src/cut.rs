use serde::Serialize;
use thesis_core::AsOfDate;

use crate::{DateBounds, DateRange, Split};

/// Where time is cut into splits. A record's date alone says where it belongs.
///
/// The ranges never overlap and stand in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cut {
    train: DateRange,
    validation: Option<DateRange>,
    test: DateRange,
    embargo_days: u32,
}

/// Where a date belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Into a split.
    In(Split),
    /// Dropped from a split, because what happens after it reaches into the next one.
    Embargoed(Split),
    /// Into none: before or after all ranges, or between them.
    Outside,
}

impl Cut {
    /// Cuts after `train_end` and after `val_end`; no validation where they are the same.
    pub(crate) fn at(train_end: AsOfDate, val_end: AsOfDate, embargo_days: u32) -> Self {
        let train = DateRange { first: None, last: Some(train_end) };
        let validation = (train_end < val_end)
            .then(|| DateRange { first: Some(train_end.plus_days(1)), last: Some(val_end) });
        let test = DateRange { first: Some(val_end.plus_days(1)), last: None };
        Self { train, validation, test, embargo_days }
    }

    /// Cuts by dates, which stand in their order.
    pub(crate) fn by_dates(bounds: &DateBounds, embargo_days: u32) -> Self {
        let DateBounds { train_start, train_end, val_end, test_start, test_end } = *bounds;
        let mut cut = Self::at(train_end, val_end.unwrap_or(train_end), embargo_days);
        cut.train.first = train_start;
        cut.test.first = test_start.or(cut.test.first);
        cut.test.last = test_end;
        cut
    }

    /// Three windows, each beginning on the day after the one before it.
    pub(crate) fn windows(
        first: AsOfDate,
        train_days: u32,
        val_days: u32,
        test_days: u32,
        embargo_days: u32,
    ) -> Self {
        let val_first = first.plus_days(train_days);
        let test_first = val_first.plus_days(val_days);
        Self {
            train: DateRange::of_days(first, train_days),
            validation: (val_days > 0).then(|| DateRange::of_days(val_first, val_days)),
            test: DateRange::of_days(test_first, test_days),
            embargo_days,
        }
    }

    /// The splits that this cut makes, in the order of time.
    pub fn splits(&self) -> impl Iterator<Item = Split> {
        Split::ALL.into_iter().filter(|split| self.range(*split).is_some())
    }

    /// The days of a split, those under embargo among them; `None` where there is no such split.
    pub fn range(&self, split: Split) -> Option<DateRange> {
        match split {
            Split::Train => Some(self.train),
            Split::Validation => self.validation,
            Split::Test => Some(self.test),
        }
    }

    /// Calendar days kept free before the first day of validation and of test.
    pub fn embargo_days(&self) -> u32 {
        self.embargo_days
    }

    /// Where a record of this date belongs.
    ///
    /// A date of training or validation is under embargo when the date plus the embargo reaches
    /// the first day of the next range.
    pub fn place(&self, date: AsOfDate) -> Placement {
        let mut ranges = self.splits().filter_map(|split| Some((split, self.range(split)?)));
        let Some((split, _)) = ranges.find(|(_, range)| range.contains(date)) else {
            return Placement::Outside;
        };
        let reach = date.plus_days(self.embargo_days);
        match ranges.next() {
            Some((_, next)) if next.first.is_some_and(|first| first <= reach) => {
                Placement::Embargoed(split)
            }
            _ => Placement::In(split),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> AsOfDate {
        AsOfDate::parse(text).unwrap()
    }

    fn check(cut: &Cut, date: &str, want: Placement) {
        assert_eq!(cut.place(day(date)), want, "{date}");
    }

    #[test]
    fn both_ends_belong_to_the_earlier_split() {
        let cut = Cut::at(day("2024-01-31"), day("2024-02-29"), 0);
        check(&cut, "1990-01-01", Placement::In(Split::Train));
        check(&cut, "2024-01-31", Placement::In(Split::Train));
        check(&cut, "2024-02-01", Placement::In(Split::Validation));
        check(&cut, "2024-02-29", Placement::In(Split::Validation));
        check(&cut, "2024-03-01", Placement::In(Split::Test));
        check(&cut, "2100-01-01", Placement::In(Split::Test));
    }

    #[test]
    fn an_embargo_frees_that_many_days() {
        let cut = Cut::at(day("2024-01-31"), day("2024-02-29"), 5);
        check(&cut, "2024-01-26", Placement::In(Split::Train));
        check(&cut, "2024-01-27", Placement::Embargoed(Split::Train));
        check(&cut, "2024-01-31", Placement::Embargoed(Split::Train));
        check(&cut, "2024-02-24", Placement::In(Split::Validation));
        check(&cut, "2024-02-25", Placement::Embargoed(Split::Validation));
        check(&cut, "2024-03-01", Placement::In(Split::Test));
    }

    #[test]
    fn without_validation_training_keeps_away_from_the_test() {
        let cut = Cut::at(day("2024-01-31"), day("2024-01-31"), 2);
        assert_eq!(cut.splits().collect::<Vec<_>>(), [Split::Train, Split::Test]);
        check(&cut, "2024-01-29", Placement::In(Split::Train));
        check(&cut, "2024-01-30", Placement::Embargoed(Split::Train));
        check(&cut, "2024-02-01", Placement::In(Split::Test));
    }

    #[test]
    fn all_five_dates() {
        let bounds = DateBounds {
            train_start: Some(day("2024-01-10")),
            test_start: Some(day("2024-04-01")),
            test_end: Some(day("2024-04-30")),
            ..DateBounds::new(day("2024-01-31"), day("2024-02-29"))
        };
        // A gap does the work of an embargo of its length.
        let cut = Cut::by_dates(&bounds, 5);
        check(&cut, "2024-01-09", Placement::Outside);
        check(&cut, "2024-01-10", Placement::In(Split::Train));
        check(&cut, "2024-01-27", Placement::Embargoed(Split::Train));
        check(&cut, "2024-02-29", Placement::In(Split::Validation));
        check(&cut, "2024-03-01", Placement::Outside);
        check(&cut, "2024-03-31", Placement::Outside);
        check(&cut, "2024-04-01", Placement::In(Split::Test));
        check(&cut, "2024-04-30", Placement::In(Split::Test));
        check(&cut, "2024-05-01", Placement::Outside);
        let cut = Cut::by_dates(&DateBounds { val_end: None, ..bounds }, 5);
        assert_eq!(cut.splits().collect::<Vec<_>>(), [Split::Train, Split::Test]);
        check(&cut, "2024-01-31", Placement::In(Split::Train));
        check(&cut, "2024-02-01", Placement::Outside);
    }

    #[test]
    fn windows_touch_and_end() {
        let cut = Cut::windows(day("2024-01-01"), 10, 5, 3, 0);
        check(&cut, "2023-12-31", Placement::Outside);
        check(&cut, "2024-01-10", Placement::In(Split::Train));
        check(&cut, "2024-01-11", Placement::In(Split::Validation));
        check(&cut, "2024-01-16", Placement::In(Split::Test));
        check(&cut, "2024-01-18", Placement::In(Split::Test));
        check(&cut, "2024-01-19", Placement::Outside);
    }
}
