use chrono::{DateTime, Days, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use thesis_core::{AsOfDate, DateOrder};

/// What is wrong with a stamp.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum StampError {
    #[error("`{text}` is no time: write it as 2021-01-04T16:00:00-05:00")]
    Unknown { text: String },
    #[error("`{text}` is no time that clocks in {zone} ever showed")]
    Skipped { text: String, zone: Tz },
    #[error(transparent)]
    Date(#[from] thesis_core::CoreError),
}

/// The instant from which on an item with this stamp is known.
///
/// - A stamp with an offset (RFC 3339, also with a space for the `T`, without seconds or with an
///   offset such as `-0500`) is that instant.
/// - A stamp without one is read in `zone`; of the hour that clocks show twice the second, and the
///   hour that they skip as the clock before the change would have shown it. Either is the later
///   reading, so nothing is known too early.
/// - A bare date is the end of that day in `zone`, the first instant of the next: all that is known
///   of it is that it was published by then.
pub(crate) fn parse(text: &str, zone: Tz, order: DateOrder) -> Result<DateTime<Utc>, StampError> {
    let text = text.trim();
    if !text.contains(':') {
        let day = AsOfDate::parse_with(text, order)?.day();
        let midnight = (day + Days::new(1)).and_time(chrono::NaiveTime::MIN);
        return in_zone(midnight, text, zone);
    }
    let iso = text.replacen(' ', "T", 1);
    let with_offset = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let without = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    if let Ok(instant) = DateTime::parse_from_rfc3339(&iso) {
        return Ok(instant.to_utc());
    }
    if let Some(instant) = with_offset.iter().find_map(|f| DateTime::parse_from_str(&iso, f).ok()) {
        return Ok(instant.to_utc());
    }
    match without.iter().find_map(|f| NaiveDateTime::parse_from_str(&iso, f).ok()) {
        Some(local) => in_zone(local, text, zone),
        None => Err(StampError::Unknown { text: text.to_owned() }),
    }
}

fn in_zone(local: NaiveDateTime, text: &str, zone: Tz) -> Result<DateTime<Utc>, StampError> {
    let skipped = || StampError::Skipped { text: text.to_owned(), zone };
    let later = || zone.from_local_datetime(&(local + TimeDelta::hours(1))).latest();
    let instant = zone.from_local_datetime(&local).latest().or_else(later).ok_or_else(skipped)?;
    Ok(instant.to_utc())
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;

    use super::*;

    fn check(text: &str, want: &str) {
        let read = parse(text, New_York, DateOrder::Refuse).map(|instant| instant.to_rfc3339());
        assert_eq!(read.as_deref(), Ok(want), "{text}");
    }

    #[test]
    fn with_and_without_an_offset() {
        check("2022-11-25T13:00:00-05:00", "2022-11-25T18:00:00+00:00");
        check("2022-11-25T18:00:00.5Z", "2022-11-25T18:00:00.500+00:00");
        check("2022-11-25 18:00:00z", "2022-11-25T18:00:00+00:00");
        check("2022-11-25T13:00-0500", "2022-11-25T18:00:00+00:00");
        check("2022-11-25T13:00:00", "2022-11-25T18:00:00+00:00");
        check(" 2022-07-25 13:00 ", "2022-07-25T17:00:00+00:00");
    }

    #[test]
    fn a_bare_date_is_known_when_it_ended() {
        check("2022-11-25", "2022-11-26T05:00:00+00:00");
        check("25 Jul 2022", "2022-07-26T04:00:00+00:00");
        check("20221105", "2022-11-06T04:00:00+00:00");
    }

    #[test]
    fn clock_changes_are_read_late() {
        // 01:30 comes twice on this day, and 02:30 not at all on the other.
        check("2022-11-06 01:30", "2022-11-06T06:30:00+00:00");
        check("2023-03-12 02:30", "2023-03-12T07:30:00+00:00");
        let midnight = parse("2018-11-03", chrono_tz::America::Sao_Paulo, DateOrder::Refuse);
        assert_eq!(midnight.unwrap().to_rfc3339(), "2018-11-04T03:00:00+00:00");
        let no_day = parse("2011-12-30 12:00", chrono_tz::Pacific::Apia, DateOrder::Refuse);
        assert!(matches!(no_day, Err(StampError::Skipped { .. })), "{no_day:?}");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "noon", "03/04/2022", "2022-11-25 4:05 PM", "2022-11-25T25:00:00Z", "16:00"]
        {
            assert!(parse(text, New_York, DateOrder::Refuse).is_err(), "{text}");
        }
    }
}
