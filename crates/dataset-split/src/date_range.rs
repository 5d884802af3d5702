use std::fmt;

use serde::{Deserialize, Serialize};
use thesis_core::AsOfDate;

/// Calendar days from a first to a last one, both included; an absent end is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DateRange {
    /// The first day.
    pub first: Option<AsOfDate>,
    /// The last day.
    pub last: Option<AsOfDate>,
}

impl DateRange {
    /// `days` calendar days from `first` on; no day at all for 0.
    pub(crate) fn of_days(first: AsOfDate, days: u32) -> Self {
        Self { first: Some(first), last: Some(first.plus_days(days).minus_days(1)) }
    }

    /// Whether `date` lies inside.
    pub fn contains(&self, date: AsOfDate) -> bool {
        self.first.is_none_or(|first| first <= date) && self.last.is_none_or(|last| date <= last)
    }
}

impl fmt::Display for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (Some(first), Some(last)) => write!(f, "{first} to {last}"),
            (Some(first), None) => write!(f, "from {first} on"),
            (None, Some(last)) => write!(f, "up to {last}"),
            (None, None) => write!(f, "any date"),
        }
    }
}
