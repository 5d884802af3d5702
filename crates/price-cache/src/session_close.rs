use chrono::{DateTime, NaiveDate, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::America::New_York;

use crate::compact_day::day;
use crate::early_closes::{CLOSED_AT_13, CLOSED_AT_14};

/// The last day for which early closes are known.
pub const CLOSES_KNOWN_UNTIL: NaiveDate = day(20270630);

/// When a session of the New York Stock Exchange ended, in New York time: 16:00, on half days
/// 13:00, and 14:00 on four of them before 1993.
///
/// Knows the half days from 1990 to [`CLOSES_KNOWN_UNTIL`]. Any other day gets 16:00, a holiday
/// too: whether there was a session, the bars say.
pub fn session_close(date: NaiveDate) -> NaiveTime {
    let hours = |hours: u32| NaiveTime::MIN + chrono::TimeDelta::hours(i64::from(hours));
    if contains(&CLOSED_AT_13, date) {
        hours(13)
    } else if contains(&CLOSED_AT_14, date) {
        hours(14)
    } else {
        hours(16)
    }
}

/// The instant of [`session_close`]. What was published after it was not known at that close.
pub fn close_instant(date: NaiveDate) -> DateTime<Utc> {
    let local = date.and_time(session_close(date));
    // Clocks change at two in the morning. So the offset that holds when London's clocks show this
    // time, four or five hours earlier, is the one that holds at the close.
    let offset = New_York.offset_from_utc_datetime(&local).fix();
    (local - offset).and_utc()
}

fn contains(days: &[u32], date: NaiveDate) -> bool {
    days.binary_search_by_key(&date, |days| day(*days)).is_ok()
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;

    use super::*;

    #[test]
    fn full_and_half_days() {
        for (number, want) in [
            (20221123, "16:00:00"),
            (20221125, "13:00:00"),
            (20130703, "13:00:00"),
            (20261224, "13:00:00"),
            (19921224, "14:00:00"),
            (19931126, "13:00:00"),
            (20991124, "16:00:00"),
        ] {
            assert_eq!(session_close(day(number)).to_string(), want, "{number}");
        }
    }

    #[test]
    fn instants_follow_the_clock_changes() {
        for (number, want) in [
            (20221104, "2022-11-04 20:00:00 UTC"),
            (20221107, "2022-11-07 21:00:00 UTC"),
            (20221125, "2022-11-25 18:00:00 UTC"),
            (20230310, "2023-03-10 21:00:00 UTC"),
            (20230312, "2023-03-12 20:00:00 UTC"),
            (20230313, "2023-03-13 20:00:00 UTC"),
            (20230703, "2023-07-03 17:00:00 UTC"),
        ] {
            assert_eq!(close_instant(day(number)).to_string(), want, "{number}");
        }
    }

    #[test]
    fn the_tables_are_sorted_weekdays() {
        for table in [&CLOSED_AT_13[..], &CLOSED_AT_14] {
            assert!(table.is_sorted_by(|a, b| a < b));
            for number in table {
                let date = day(*number);
                assert_eq!(date.format("%Y%m%d").to_string(), number.to_string());
                assert!(date.weekday().num_days_from_monday() < 5, "{date}");
                assert!(date <= CLOSES_KNOWN_UNTIL);
            }
        }
    }
}
