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
    /// `train ≤ train_end < validation ≤ val_end < test`.
    Dates {
        /// The last day of training.
        train_end: AsOfDate,
        /// The last day of validation.
        val_end: AsOfDate,
    },
    /// Calendar days counted back from the last date that a record has.
    LastDays {
        /// Days of the test; at least 1.
        test_split_days: u32,
        /// Days of the validation before it; none for 0.
        val_days: u32,
    },
}

impl SplitConfig {
    /// The cut for records of which the newest has the date `last`.
    ///
    /// # Errors
    /// [`SplitError::BoundaryOrder`] where validation would end before it begins,
    /// [`SplitError::ZeroDays`] for a test without days.
    pub fn cut(&self, last: AsOfDate) -> Result<Cut, SplitError> {
        match self.boundaries {
            Boundaries::Dates { train_end, val_end } if val_end <= train_end => {
                Err(SplitError::BoundaryOrder { train_end, val_end })
            }
            Boundaries::Dates { train_end, val_end } => {
                Ok(Cut::at(train_end, val_end, self.embargo_days))
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
    fn boundaries_that_make_no_split() {
        let cut = |boundaries| SplitConfig { boundaries, embargo_days: 0 }.cut(day("2024-03-31"));
        let same = Boundaries::Dates { train_end: day("2024-01-01"), val_end: day("2024-01-01") };
        assert!(matches!(cut(same), Err(SplitError::BoundaryOrder { .. })));
        let none = Boundaries::LastDays { test_split_days: 0, val_days: 5 };
        assert!(matches!(cut(none), Err(SplitError::ZeroDays { setting: "test_split_days" })));
        let all = Boundaries::LastDays { test_split_days: u32::MAX, val_days: u32::MAX };
        assert_eq!(cut(all).unwrap().place(day("1900-01-01")), Placement::In(Split::Test));
    }
}
