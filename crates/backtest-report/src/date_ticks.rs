//! Ticks of an axis of dates: as fine as their labels leave room.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::canvas::TEXT_PX;
use crate::text_width::text_width;

/// A tick's day and its label: `2021`, `2021-03` or `2021-03-15`, all of one kind.
pub(crate) fn date_ticks(
    first: NaiveDate,
    last: NaiveDate,
    width: f64,
) -> Vec<(NaiveDate, String)> {
    const GAP: f64 = 16.0;
    let days = (last - first).num_days().max(1) as f64;
    let room = |step: Step| {
        let label =
            text_width(&step.label(last), TEXT_PX).max(text_width(&step.label(first), TEXT_PX));
        step.least_days() / days * width >= label + GAP
    };
    let step = STEPS.into_iter().find(|step| room(*step)).unwrap_or_else(|| {
        let decades = (1..).map(|power| Step::Years(10i32.saturating_pow(power)));
        decades.take(9).find(|step| room(*step)).unwrap_or(Step::Years(i32::MAX))
    });
    let mut ticks = Vec::new();
    let mut day = step.first_from(first);
    while let Some(at) = day.filter(|at| *at <= last) {
        ticks.push((at, step.label(at)));
        day = step.after(at);
    }
    ticks
}

#[derive(Clone, Copy)]
enum Step {
    Days(u64),
    /// From Monday to Monday, this many weeks apart.
    Weeks(u64),
    Months(u32),
    Years(i32),
}

const STEPS: [Step; 11] = [
    Step::Days(1),
    Step::Days(2),
    Step::Weeks(1),
    Step::Weeks(2),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
];

impl Step {
    fn least_days(self) -> f64 {
        match self {
            Self::Days(n) => n as f64,
            Self::Weeks(n) => n as f64 * 7.0,
            Self::Months(n) => f64::from(n) * 29.5,
            Self::Years(n) => f64::from(n) * 365.0,
        }
    }

    fn label(self, day: NaiveDate) -> String {
        match self {
            Self::Days(_) | Self::Weeks(_) => day.format("%Y-%m-%d").to_string(),
            Self::Months(_) => day.format("%Y-%m").to_string(),
            Self::Years(_) => day.format("%Y").to_string(),
        }
    }

    /// The first tick on or after a day.
    fn first_from(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Days(_) => Some(day),
            Self::Weeks(_) => {
                let since_monday = u64::from(day.weekday().num_days_from_monday());
                day.checked_add_days(Days::new((7 - since_monday) % 7))
            }
            Self::Months(n) => {
                let month_start = day.with_day(1)?;
                let past = u32::from(month_start < day);
                let at = month_start.checked_add_months(Months::new(past))?;
                at.checked_add_months(Months::new((n - at.month0() % n) % n))
            }
            Self::Years(n) => {
                let year = if day.ordinal() > 1 { day.year() + 1 } else { day.year() };
                let over = year.rem_euclid(n);
                NaiveDate::from_ymd_opt(
                    if over == 0 { year } else { year.checked_add(n - over)? },
                    1,
                    1,
                )
            }
        }
    }

    fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Days(n) => day.checked_add_days(Days::new(n)),
            Self::Weeks(n) => day.checked_add_days(Days::new(n * 7)),
            Self::Months(n) => day.checked_add_months(Months::new(n)),
            Self::Years(n) => day.with_year(day.year().checked_add(n)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_the_span() {
        let check = |first: &str, last: &str, expected: &str| {
            let day = |text: &str| text.parse::<NaiveDate>().unwrap();
            let ticks = date_ticks(day(first), day(last), 800.0);
            let labels: Vec<_> = ticks.into_iter().map(|(_, label)| label).collect();
            assert_eq!(labels.join(" "), expected);
        };
        check("2021-03-01", "2021-03-03", "2021-03-01 2021-03-02 2021-03-03");
        check("2021-03-05", "2021-03-31", "2021-03-08 2021-03-15 2021-03-22 2021-03-29");
        check("2021-01-15", "2021-06-30", "2021-02 2021-03 2021-04 2021-05 2021-06");
        check("2020-01-02", "2022-12-30", "2020-07 2021-01 2021-07 2022-01 2022-07");
        check("2015-01-02", "2022-12-30", "2016 2017 2018 2019 2020 2021 2022");
        check(
            "1994-01-03",
            "2023-12-29",
            "1996 1998 2000 2002 2004 2006 2008 2010 2012 2014 2016 2018 2020 2022",
        );
        check("0001-01-01", "9999-12-31", "1000 2000 3000 4000 5000 6000 7000 8000 9000");
        check("2021-03-01", "2021-03-01", "2021-03-01");
    }

    #[test]
    fn the_ends_of_the_calendar_are_no_trouble() {
        assert!(date_ticks(NaiveDate::MIN, NaiveDate::MAX, 800.0).len() < 20);
        assert!(date_ticks(NaiveDate::MAX, NaiveDate::MAX, 800.0).len() <= 1);
        assert!(date_ticks(NaiveDate::MIN, NaiveDate::MIN, 800.0).len() <= 1);
    }
}
