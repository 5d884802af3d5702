use thesis_core::AsOfDate;

use crate::{Cut, SplitError};

/// How to cut time into training, validation and test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitConfig {
    /// Where to cut.
    pub boundaries: Boundaries,
    /// Calendar days to keep free before validation and before test.
    pub embargo_days: u32,
}

/// Where to cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundaries {
    /// `train_start ≤ train ≤ train_end < validation ≤ val_end < test_start ≤ test ≤ test_end`.
    Dates(DateBounds),
    /// Calendar days counted back from the last date that a record has.
    LastDays {
        /// Days of the test; at least 1.
        test_split_days: u32,
        /// Days of the validation before it; none for 0.
        val_days: u32,
    },
}

/// The days that splits begin and end on; all of them belong to their split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateBounds {
    /// The first day of training; `None`: all earlier days are training.
    pub train_start: Option<AsOfDate>,
    /// The last day of training.
    pub train_end: AsOfDate,
    /// The last day of validation, which begins on the day after training; `None`: no validation.
    pub val_end: Option<AsOfDate>,
    /// The first day of the test; `None`: the day after the split before it. Days between are in no
    /// split.
    pub test_start: Option<AsOfDate>,
    /// The last day of the test; `None`: all later days are test.
    pub test_end: Option<AsOfDate>,
}

impl DateBounds {
    /// Training up to `train_end`, validation up to `val_end`, and all later days for the test.
    pub fn new(train_end: AsOfDate, val_end: AsOfDate) -> Self {
        Self {
            train_start: None,
            train_end,
            val_end: Some(val_end),
            test_start: None,
            test_end: None,
        }
    }

    /// # Errors
    /// [`SplitError::BoundaryOrder`] where a split would end before it begins, or begin before the one
    /// before it ends.
    fn check(&self) -> Result<(), SplitError> {
        let Self { train_start, train_end, val_end, test_start, test_end } = *self;
        let train_end = ("train_end", Some(train_end));
        let before_test = val_end.map_or(train_end, |day| ("val_end", Some(day)));
        let (test_start, test_end) = (("test_start", test_start), ("test_end", test_end));
        in_order(("train_start", train_start), train_end, true)?;
        in_order(train_end, ("val_end", val_end), false)?;
        in_order(before_test, test_start, false)?;
        in_order(before_test, test_end, false)?;
        in_order(test_start, test_end, true)
    }
}

/// A setting and its day.
type Bound = (&'static str, Option<AsOfDate>);

/// Refuses two days where the later one is the earlier, or, unless that is allowed, the same.
fn in_order(earlier: Bound, later: Bound, same_day: bool) -> Result<(), SplitError> {
    let ((earlier, Some(earlier_date)), (later, Some(later_date))) = (earlier, later) else {
        return Ok(());
    };
    if earlier_date < later_date || (same_day && earlier_date == later_date) {
        return Ok(());
    }
    Err(SplitError::BoundaryOrder { earlier, earlier_date, later, later_date, same_day })
}

impl SplitConfig {
    /// The cut for records of which the newest has the date `last`.
    ///
    /// # Errors
    /// [`SplitError::BoundaryOrder`] where a split would end before it begins,
    /// [`SplitError::ZeroDays`] for a test without days.
    pub fn cut(&self, last: AsOfDate) -> Result<Cut, SplitError> {
        match self.boundaries {
            Boundaries::Dates(bounds) => {
                bounds.check()?;
                Ok(Cut::by_dates(&bounds, self.embargo_days))
            }
            Boundaries::LastDays { test_split_days: 0, .. } => {
                Err(SplitError::ZeroDays { setting: "test_split_days" })
            }
            Boundaries::LastDays { test_split_days, val_days } => {
                let val_end = last.minus_days(test_split_days);
                Ok(Cut::at(val_end.minus_days(val_days), val_end, self.embargo_days))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Placement, Split};

    fn day(text: &str) -> AsOfDate {
        AsOfDate::parse(text).unwrap()
    }

    #[test]
    fn days_are_counted_back_from_the_last_date() {
        let boundaries = Boundaries::LastDays { test_split_days: 10, val_days: 5 };
        let config = SplitConfig { boundaries, embargo_days: 0 };
        let cut = config.cut(day("2024-03-31")).unwrap();
        for (date, split) in [
            ("2024-03-31", Split::Test),
            ("2024-03-22", Split::Test),
            ("2024-03-21", Split::Validation),
            ("2024-03-17", Split::Validation),
            ("2024-03-16", Split::Train),
        ] {
            assert_eq!(cut.place(day(date)), Placement::In(split), "{date}");
        }
    }

    #[test]
    fn dates_out_of_order() {
        let bounds = DateBounds::new(day("2024-02-01"), day("2024-03-01"));
        let check = |bounds: DateBounds, want: &str| {
            let config = SplitConfig { boundaries: Boundaries::Dates(bounds), embargo_days: 0 };
            let got = config.cut(day("2024-12-31")).map_err(|error| error.to_string());
            assert_eq!(got.err().unwrap_or_default(), want, "{bounds:?}");
        };
        let at = |text| Some(day(text));
        check(bounds, "");
        check(
            DateBounds { val_end: at("2024-02-01"), ..bounds },
            "`val_end` (2024-02-01) must lie after `train_end` (2024-02-01)",
        );
        check(DateBounds { train_start: at("2024-02-01"), ..bounds }, "");
        check(
            DateBounds { train_start: at("2024-02-02"), ..bounds },
            "`train_end` (2024-02-01) must not lie before `train_start` (2024-02-02)",
        );
        check(
            DateBounds { test_start: at("2024-03-01"), ..bounds },
            "`test_start` (2024-03-01) must lie after `val_end` (2024-03-01)",
        );
        check(
            DateBounds { test_start: at("2024-02-01"), val_end: None, ..bounds },
            "`test_start` (2024-02-01) must lie after `train_end` (2024-02-01)",
        );
        check(
            DateBounds { test_end: at("2024-03-01"), ..bounds },
            "`test_end` (2024-03-01) must lie after `val_end` (2024-03-01)",
        );
        check(
            DateBounds { test_start: at("2024-06-01"), test_end: at("2024-05-31"), ..bounds },
            "`test_end` (2024-05-31) must not lie before `test_start` (2024-06-01)",
        );
        check(
            DateBounds { test_start: at("2024-06-01"), test_end: at("2024-06-01"), ..bounds },
            "",
        );
    }

    #[test]
    fn boundaries_that_make_no_split() {
        let cut = |boundaries| SplitConfig { boundaries, embargo_days: 0 }.cut(day("2024-03-31"));
        let none = Boundaries::LastDays { test_split_days: 0, val_days: 5 };
        assert!(matches!(cut(none), Err(SplitError::ZeroDays { setting: "test_split_days" })));
        let all = Boundaries::LastDays { test_split_days: u32::MAX, val_days: u32::MAX };
        assert_eq!(cut(all).unwrap().place(day("1900-01-01")), Placement::In(Split::Test));
    }
}
