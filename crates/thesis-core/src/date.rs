use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::CoreError;

/// The calendar day up to whose close a thesis or a call uses data.
///
/// Written as ISO 8601 (`2021-01-04`). [`AsOfDate::parse`] reads the spellings found in the wild.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AsOfDate(NaiveDate);

/// How a date written with two small numbers, such as `03/04/2021`, is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// Refused unless one of the two numbers can only be a day.
    #[default]
    Refuse,
    /// Month first, as in the United States.
    MonthFirst,
    /// Day first, as in Europe.
    DayFirst,
}

impl AsOfDate {
    /// Wraps a calendar day.
    pub const fn new(day: NaiveDate) -> Self {
        Self(day)
    }

    /// The calendar day.
    pub const fn day(self) -> NaiveDate {
        self.0
    }

    /// Reads a date, refusing the ones whose day and month could be swapped.
    ///
    /// # Errors
    /// See [`AsOfDate::parse_with`].
    pub fn parse(text: &str) -> Result<Self, CoreError> {
        Self::parse_with(text, DateOrder::Refuse)
    }

    /// Reads a date in one of these spellings: `2021-01-04` (also with `/` or `.`), `20210104`,
    /// `04 Jan 2021` (also `4-January-2021`), `Jan 4, 2021`, `01/04/2021` (as `order` says), and
    /// ISO 8601 or space-separated timestamps, of which the day counts as it is written.
    ///
    /// # Errors
    /// [`CoreError::Date`] when no spelling matches, when the day is in no calendar, or when day
    /// and month could be swapped and `order` is [`DateOrder::Refuse`].
    pub fn parse_with(text: &str, order: DateOrder) -> Result<Self, CoreError> {
        let text = text.trim();
        let refuse = |reason| CoreError::Date { text: text.to_owned(), reason };
        if text.is_empty() {
            return Err(refuse("it is empty"));
        }
        let day = day_part(text).ok_or_else(|| refuse("no known spelling matches"))?;
        let parts = DateParts::split(day).ok_or_else(|| refuse("no known spelling matches"))?;
        let (year, month, day) = match parts {
            DateParts::Known { year, month, day } => (year, month, day),
            DateParts::Numbers { first, second, year } => match order {
                DateOrder::MonthFirst => (year, first, second),
                DateOrder::DayFirst => (year, second, first),
                DateOrder::Refuse if first > 12 => (year, second, first),
                DateOrder::Refuse if second > 12 || first == second => (year, first, second),
                DateOrder::Refuse => {
                    return Err(refuse("day and month could be swapped; write it as YYYY-MM-DD"));
                }
            },
        };
        if !(1800..=2200).contains(&year) {
            return Err(refuse("the year is not between 1800 and 2200"));
        }
        let day = NaiveDate::from_ymd_opt(year, month, day);
        day.map(Self).ok_or_else(|| refuse("no calendar has this day"))
    }

    /// This day plus `days` calendar days; the last representable day at the end of time.
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.checked_add_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX))
    }

    /// This day minus `days` calendar days; the first representable day at the beginning of time.
    pub fn minus_days(self, days: u32) -> Self {
        Self(self.0.checked_sub_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MIN))
    }
}

enum DateParts {
    Known { year: i32, month: u32, day: u32 },
    Numbers { first: u32, second: u32, year: i32 },
}

impl DateParts {
    fn split(text: &str) -> Option<Self> {
        if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Some(Self::Known {
                year: text[..4].parse().ok()?,
                month: text[4..6].parse().ok()?,
                day: text[6..].parse().ok()?,
            });
        }
        let mut parts = text
            .split(|c: char| matches!(c, '-' | '/' | '.' | ',') || c.is_whitespace())
            .filter(|part| !part.is_empty());
        let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        if let Some(month) = month_by_name(a) {
            return Some(Self::Known { year: year(c)?, month, day: small(b)? });
        }
        if let Some(month) = month_by_name(b) {
            return Some(Self::Known { year: year(c)?, month, day: small(a)? });
        }
        if let Some(year) = year(a) {
            return Some(Self::Known { year, month: small(b)?, day: small(c)? });
        }
        Some(Self::Numbers { first: small(a)?, second: small(b)?, year: year(c)? })
    }
}

/// The day of a timestamp as it is written, or the text itself; `None` for a broken time of day.
fn day_part(text: &str) -> Option<&str> {
    let Some(split) = text.find(['T', ' ']).filter(|&at| at >= 8 && text[..at].contains('-'))
    else {
        return Some(text);
    };
    let (day, time) = (&text[..split], &text[split + 1..]);
    if !time.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(text);
    }
    let stamp = format!("{day}T{time}");
    let offset_formats = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let plain_formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    (DateTime::parse_from_rfc3339(&stamp).is_ok()
        || offset_formats.iter().any(|f| DateTime::parse_from_str(&stamp, f).is_ok())
        || plain_formats.iter().any(|f| NaiveDateTime::parse_from_str(&stamp, f).is_ok()))
    .then_some(day)
}

fn year(text: &str) -> Option<i32> {
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn small(text: &str) -> Option<u32> {
    (text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn month_by_name(text: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let lower = text.to_ascii_lowercase();
    let found = MONTHS
        .iter()
        .position(|month| *month == lower || (lower.len() == 3 && month.starts_with(&lower)))
        .or_else(|| (lower == "sept").then_some(8))?;
    Some(found as u32 + 1)
}

impl fmt::Display for AsOfDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for AsOfDate {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for AsOfDate {
    type Error = CoreError;

    fn try_from(text: String) -> Result<Self, CoreError> {
        Self::parse(&text)
    }
}

impl From<AsOfDate> for String {
    fn from(date: AsOfDate) -> Self {
        date.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_day() {
        for text in [
            "2021-01-04",
            "2021/01/04",
            "2021.1.4",
            "20210104",
            "04 Jan 2021",
            "4-January-2021",
            "Jan 4, 2021",
            "JANUARY 4 2021",
            "2021-01-04T00:00:00Z",
            "2021-01-04T23:59:59.123-05:00",
            "2021-01-04T16:00-0500",
            "2021-01-04 16:00:00",
            "2021-01-04T16:00",
            "  2021-01-04\n",
        ] {
            let date = AsOfDate::parse(text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(date.to_string(), "2021-01-04", "{text}");
        }
        assert_eq!(AsOfDate::parse("1 Sept 2021").unwrap().to_string(), "2021-09-01");
    }

    #[test]
    fn day_and_month_are_never_guessed() {
        let order = |text, order| AsOfDate::parse_with(text, order).map(|d| d.to_string()).ok();
        assert_eq!(order("03/04/2021", DateOrder::Refuse), None);
        assert_eq!(order("03/04/2021", DateOrder::MonthFirst), Some("2021-03-04".into()));
        assert_eq!(order("03/04/2021", DateOrder::DayFirst), Some("2021-04-03".into()));
        assert_eq!(order("13/04/2021", DateOrder::Refuse), Some("2021-04-13".into()));
        assert_eq!(order("04-13-2021", DateOrder::Refuse), Some("2021-04-13".into()));
        assert_eq!(order("13/04/2021", DateOrder::MonthFirst), None);
    }

    #[test]
    fn impossible_days_are_refused() {
        for text in [
            "",
            "nan",
            "2021-02-29",
            "2021-13-01",
            "20211301",
            "31 Jun 2021",
            "0021-01-01",
            "21-01-04",
            "2021-01-04T25:00:00Z",
            "2021-01-04Tnoon",
            "2021-01",
            "2021-01-04-05",
            "1.5",
            "４ Jan 2021",
            "2021-01-04T",
            "99999-01-01",
        ] {
            assert!(matches!(AsOfDate::parse(text), Err(CoreError::Date { .. })), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,24}") {
            let _ = AsOfDate::parse(&text);
        }

        #[test]
        fn display_reads_back(days in 0_i32..80_000) {
            let date = AsOfDate::new(NaiveDate::from_num_days_from_ce_opt(660_000 + days).unwrap());
            prop_assert_eq!(AsOfDate::parse(&date.to_string()).unwrap(), date);
        }
    }
}
