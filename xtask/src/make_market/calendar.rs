use std::fmt;

/// A calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    pub(crate) year: i32,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

impl Day {
    const fn new(year: i32, month: u32, day: u32) -> Self {
        Self { year, month, day }
    }

    /// Days since 1 March of the year 0 (Richards 2013: years begin in March, so that the leap day
    /// is the last one).
    const fn number(self) -> i32 {
        let (year, month) = match self.month {
            1 | 2 => (self.year - 1, self.month as i32 + 9),
            _ => (self.year, self.month as i32 - 3),
        };
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + self.day as i32
            - 1
    }

    /// 0 for Monday, 6 for Sunday.
    const fn weekday(self) -> i32 {
        (self.number() + 2) % 7
    }

    const fn next(self) -> Self {
        let Self { year, month, day } = self;
        if day < days_of(year, month) {
            Self::new(year, month, day + 1)
        } else if month < 12 {
            Self::new(year, month + 1, 1)
        } else {
            Self::new(year + 1, 1, 1)
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The first `count` days from `first_year` on that are sessions of the New York Stock Exchange by
/// its rules of 1998 and later. Days on which it closed for a storm or in mourning are sessions
/// here: there are none from 2013 to 2017, and none from 2019 to 2024.
pub(crate) fn sessions(first_year: i32, count: usize) -> Vec<Day> {
    let mut day = Day::new(first_year, 1, 1);
    let mut sessions = Vec::with_capacity(count);
    while sessions.len() < count {
        if day.weekday() < 5 && !is_holiday(day) {
            sessions.push(day);
        }
        day = day.next();
    }
    sessions
}

fn is_holiday(day: Day) -> bool {
    let Day { year, .. } = day;
    let new_year = Day::new(year, 1, 1);
    // One that falls on a Saturday would be kept on the last day of the old year, which is none.
    let new_year = if new_year.weekday() == 6 { Day::new(year, 1, 2) } else { new_year };
    let (easter_month, easter_day) = easter(year);
    let easter = Day::new(year, easter_month, easter_day).number();
    let juneteenth = year >= 2022 && day == observed(Day::new(year, 6, 19));
    day == new_year
        || day == nth_weekday(year, 1, 0, 3)
        || day == nth_weekday(year, 2, 0, 3)
        || day.number() == easter - 2
        || (day.month == 5 && day.weekday() == 0 && day.day > 24)
        || juneteenth
        || day == observed(Day::new(year, 7, 4))
        || day == nth_weekday(year, 9, 0, 1)
        || day == nth_weekday(year, 11, 3, 4)
        || day == observed(Day::new(year, 12, 25))
}

/// A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after.
fn observed(day: Day) -> Day {
    match day.weekday() {
        5 => Day::new(day.year, day.month, day.day - 1),
        6 => day.next(),
        _ => day,
    }
}

/// The `count`-th Monday (0) to Sunday (6) of a month.
fn nth_weekday(year: i32, month: u32, weekday: i32, count: i32) -> Day {
    let first = Day::new(year, month, 1).weekday();
    let day = 1 + (weekday - first).rem_euclid(7) + 7 * (count - 1);
    Day::new(year, month, day as u32)
}

/// Month and day of Easter Sunday, by the anonymous Gregorian algorithm (Meeus 1991).
const fn easter(year: i32) -> (u32, u32) {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - b / 4 - g + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    ((n / 31) as u32, (n % 31 + 1) as u32)
}

const fn days_of(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
