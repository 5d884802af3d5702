mod from_text;
mod xnys_holidays;

use std::iter::FusedIterator;

use chrono::{Datelike, NaiveDate};

use crate::compact_day::day;

/// The days on which an exchange holds sessions, over a known range.
///
/// Whatever is asked beyond that range is answered with `None`, which means "not known", never "no
/// session". Answers take O(log n) in the number of holidays or listed sessions.
///
/// ```
/// use chrono::NaiveDate;
/// use price_cache::Calendar;
/// let day = |d| NaiveDate::from_ymd_opt(2025, 1, d).unwrap();
/// let xnys = Calendar::xnys();
/// // January 9th, 2025, was a day of mourning.
/// assert_eq!(xnys.next_session(day(8)), Some(day(10)));
/// assert_eq!(xnys.sessions_between(day(6), day(12)).unwrap().len(), 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    name: String,
    first: NaiveDate,
    last: NaiveDate,
    days: Days,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    /// Monday to Friday without these weekdays, ascending.
    WeekdaysExcept(Vec<NaiveDate>),
    /// These days, ascending.
    Listed(Vec<NaiveDate>),
}

impl Calendar {
    /// The New York Stock Exchange, 1990-01-01 to 2027-06-30, as XNYS of exchange-calendars 4.13.2
    /// has it. Nasdaq keeps the same days.
    pub fn xnys() -> Self {
        Self {
            name: "XNYS".to_owned(),
            first: day(19900101),
            last: day(20270630),
            days: Days::WeekdaysExcept(xnys_holidays::HOLIDAYS.map(day).to_vec()),
        }
    }

    /// Every Monday to Friday, without holidays and without end.
    pub fn weekdays() -> Self {
        let days = Days::WeekdaysExcept(Vec::new());
        Self { name: "weekdays".to_owned(), first: NaiveDate::MIN, last: NaiveDate::MAX, days }
    }

    /// What the calendar is called: `XNYS`, `weekdays`, or the name in or of its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first day that the calendar knows, be it a session or not.
    pub fn first_known(&self) -> NaiveDate {
        self.first
    }

    /// The last day that the calendar knows, be it a session or not.
    pub fn last_known(&self) -> NaiveDate {
        self.last
    }

    /// Whether there is a session on `date`; `None` where the calendar does not know that day.
    pub fn is_session(&self, date: NaiveDate) -> Option<bool> {
        self.knows(date).then(|| self.holds(date))
    }

    /// The first session after `date`; `None` where the days that it depends on are not all known.
    pub fn next_session(&self, date: NaiveDate) -> Option<NaiveDate> {
        let mut next = date.succ_opt().filter(|next| self.knows(*next))?;
        if let Days::Listed(sessions) = &self.days {
            return sessions.get(sessions.partition_point(|session| *session <= date)).copied();
        }
        while !self.holds(next) {
            next = next.succ_opt().filter(|next| self.knows(*next))?;
        }
        Some(next)
    }

    /// The last session before `date`; `None` where the days that it depends on are not all known.
    pub fn previous_session(&self, date: NaiveDate) -> Option<NaiveDate> {
        let mut previous = date.pred_opt().filter(|previous| self.knows(*previous))?;
        if let Days::Listed(sessions) = &self.days {
            let index = sessions.partition_point(|session| *session < date).checked_sub(1)?;
            return sessions.get(index).copied();
        }
        while !self.holds(previous) {
            previous = previous.pred_opt().filter(|previous| self.knows(*previous))?;
        }
        Some(previous)
    }

    /// The sessions from `first` to `last`, both included, ascending; `len()` counts them in
    /// O(log n). `None` where the calendar does not know both days; no sessions where `first` is
    /// after `last`.
    pub fn sessions_between(&self, first: NaiveDate, last: NaiveDate) -> Option<Sessions<'_>> {
        if !self.knows(first) || !self.knows(last) {
            return None;
        }
        let left = match first <= last {
            true => self.before(last) + usize::from(self.holds(last)) - self.before(first),
            false => 0,
        };
        Some(Sessions { calendar: self, next: first, left })
    }

    fn knows(&self, date: NaiveDate) -> bool {
        self.first <= date && date <= self.last
    }

    fn holds(&self, date: NaiveDate) -> bool {
        match &self.days {
            Days::WeekdaysExcept(holidays) => {
                is_weekday(date) && holidays.binary_search(&date).is_err()
            }
            Days::Listed(sessions) => sessions.binary_search(&date).is_ok(),
        }
    }

    /// The number of sessions before `date`, up to a constant of this calendar.
    fn before(&self, date: NaiveDate) -> usize {
        match &self.days {
            Days::WeekdaysExcept(holidays) => {
                weekdays_before(date) - holidays.partition_point(|holiday| *holiday < date)
            }
            Days::Listed(sessions) => sessions.partition_point(|session| *session < date),
        }
    }
}

/// Sessions of a calendar, ascending; made by [`Calendar::sessions_between`].
#[derive(Debug, Clone)]
pub struct Sessions<'a> {
    calendar: &'a Calendar,
    next: NaiveDate,
    left: usize,
}

impl Iterator for Sessions<'_> {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        self.left = self.left.checked_sub(1)?;
        let session = match self.calendar.holds(self.next) {
            true => self.next,
            false => self.calendar.next_session(self.next)?,
        };
        self.next = session.succ_opt().unwrap_or(session);
        Some(session)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Sessions<'_> {}
impl FusedIterator for Sessions<'_> {}

fn is_weekday(date: NaiveDate) -> bool {
    date.weekday().num_days_from_monday() < 5
}

/// The number of weekdays before `date`, counted from a Monday before any date that chrono has.
fn weekdays_before(date: NaiveDate) -> usize {
    /// Weeks from the Monday 0001-01-01 back to before year −262,143.
    const WEEKS: i64 = 14_000_000;
    let days = i64::from(date.num_days_from_ce()) - 1 + WEEKS * 7;
    (days / 7 * 5 + (days % 7).min(5)).unsigned_abs() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sessions of each year from 1990, the last up to 2027-06-30: counted in Python from the
    /// weekday holidays of exchange-calendars 4.13.2.
    const SESSIONS_A_YEAR: [usize; 38] = [
        253, 253, 254, 253, 252, 252, 254, 253, 252, 252, 252, 248, 252, 252, 252, 252, 251, 251,
        253, 252, 252, 252, 250, 252, 252, 252, 252, 251, 251, 252, 253, 252, 251, 250, 252, 250,
        251, 123,
    ];

    fn count(calendar: &Calendar, first: u32, last: u32) -> Option<usize> {
        calendar.sessions_between(day(first), day(last)).map(|sessions| sessions.len())
    }

    #[test]
    fn sessions_of_each_year_in_new_york() {
        let xnys = Calendar::xnys();
        for (year, want) in (1990..).zip(SESSIONS_A_YEAR) {
            let (first, last) =
                (day(year * 10_000 + 101), day((year * 10_000 + 1231).min(20270630)));
            let sessions = xnys.sessions_between(first, last).unwrap();
            assert_eq!((sessions.len(), sessions.count()), (want, want), "{year}");
        }
        assert_eq!(count(&xnys, 19900101, 20270630), Some(9441));
    }

    #[test]
    fn closings_that_published_lists_miss() {
        let xnys = Calendar::xnys();
        for (number, want) in [
            (20010910, true),
            (20010911, false),
            (20010914, false),
            (20010917, true),
            (20121029, false),
            (20181205, false),
            (20250109, false),
            (20250110, true),
            (20220620, false),
            (20210618, true),
            (20240330, false),
        ] {
            assert_eq!(xnys.is_session(day(number)), Some(want), "{number}");
        }
        assert_eq!(xnys.next_session(day(20010910)), Some(day(20010917)));
        assert_eq!(xnys.previous_session(day(20010917)), Some(day(20010910)));
    }

    #[test]
    fn beyond_its_range_it_does_not_know() {
        let xnys = Calendar::xnys();
        assert_eq!(xnys.is_session(day(19891229)), None);
        assert_eq!(xnys.is_session(day(20270701)), None);
        assert_eq!(xnys.next_session(day(19891231)), Some(day(19900102)));
        assert_eq!(xnys.next_session(day(19891230)), None);
        assert_eq!(xnys.next_session(day(20270630)), None);
        assert_eq!(xnys.previous_session(day(20270701)), Some(day(20270630)));
        assert_eq!(xnys.previous_session(day(20270702)), None);
        assert_eq!(xnys.previous_session(day(19900102)), None);
        assert_eq!(count(&xnys, 20270601, 20270701), None);
        assert_eq!(count(&xnys, 20270630, 20270601), Some(0));
    }

    #[test]
    fn plain_weekdays_have_no_end() {
        let weekdays = Calendar::weekdays();
        assert_eq!(weekdays.next_session(day(20250103)), Some(day(20250106)));
        assert_eq!(weekdays.previous_session(day(20250106)), Some(day(20250103)));
        assert_eq!(weekdays.next_session(NaiveDate::MAX), None);
        assert_eq!(weekdays.previous_session(NaiveDate::MIN), None);
        assert_eq!(count(&weekdays, 20250101, 20251231), Some(261));
        let all = weekdays.sessions_between(NaiveDate::MIN, NaiveDate::MAX).unwrap();
        assert!(all.len() > 130_000_000);
    }

    #[test]
    fn the_table_is_sorted_weekdays() {
        assert!(xnys_holidays::HOLIDAYS.is_sorted_by(|a, b| a < b));
        for number in xnys_holidays::HOLIDAYS {
            assert_eq!(day(number).format("%Y%m%d").to_string(), number.to_string());
            assert!(is_weekday(day(number)), "{number}");
        }
    }

    proptest! {
        #[test]
        fn all_answers_agree_with_a_list_of_the_sessions(
            first in 726_468..740_162_i32, span in 0..40_i32, at in -3..44_i32,
        ) {
            let xnys = Calendar::xnys();
            let date = |n| NaiveDate::from_num_days_from_ce_opt(n).unwrap();
            let days: Vec<NaiveDate> = (first..=(first + span).min(740_162)).map(date).collect();
            let held = |d: &NaiveDate| xnys.is_session(*d) == Some(true);
            let sessions: Vec<NaiveDate> = days.iter().copied().filter(held).collect();
            let of_range = xnys.sessions_between(days[0], days[days.len() - 1]).unwrap();
            prop_assert_eq!(of_range.len(), sessions.len());
            prop_assert!(of_range.eq(sessions.iter().copied()));

            let listed = Calendar {
                name: "listed".to_owned(),
                first: days[0],
                last: days[days.len() - 1],
                days: Days::Listed(sessions.clone()),
            };
            let at = date(first + at);
            prop_assert_eq!(listed.is_session(at), days.contains(&at).then(|| sessions.contains(&at)));
            let next = sessions.iter().copied().find(|session| *session > at);
            let known = days.contains(&(at + chrono::Days::new(1)));
            prop_assert_eq!(listed.next_session(at), next.filter(|_| known));
            let previous = sessions.iter().copied().rfind(|session| *session < at);
            let known = days.contains(&(at - chrono::Days::new(1)));
            prop_assert_eq!(listed.previous_session(at), previous.filter(|_| known));
        }
    }
}
