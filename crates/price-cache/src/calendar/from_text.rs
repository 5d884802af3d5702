use chrono::NaiveDate;
use serde::Deserialize;

use super::{Calendar, Days, is_weekday};
use crate::PriceError;

/// A calendar as a JSON object: its sessions, or the weekdays on which there are none.
#[derive(Deserialize)]
struct Json {
    calendar: Option<String>,
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
    weekday_holidays: Option<Vec<NaiveDate>>,
    sessions: Option<Vec<NaiveDate>>,
}

impl Calendar {
    /// Reads a calendar from the text of a file, `name` being the file's.
    ///
    /// Either one session a line as `2025-01-10` (what follows a `#` is a comment; the known range
    /// runs from the first to the last), or a JSON object with `sessions`, a list of such dates,
    /// or with `first`, `last` and `weekday_holidays`, the weekdays without a session; `calendar`
    /// is its name.
    ///
    /// # Errors
    /// [`PriceError::Calendar`] with the line of the first fault.
    pub fn parse(name: &str, text: &str) -> Result<Self, PriceError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match text.trim_start().starts_with('{') {
            true => from_json(name, text),
            false => from_lines(name, text),
        }
    }
}

fn from_lines(name: &str, text: &str) -> Result<Calendar, PriceError> {
    let mut sessions = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let date = text.split_once('#').map_or(text, |(date, _)| date).trim();
        if date.is_empty() {
            continue;
        }
        let date = date
            .parse()
            .map_err(|_| fault(name, line, format!("`{date}` is not a date such as 2025-01-10")))?;
        sessions.push(date);
    }
    listed(name, name, sessions, None, None)
}

fn from_json(name: &str, text: &str) -> Result<Calendar, PriceError> {
    let json: Json = serde_json::from_str(text)
        .map_err(|error| fault(name, error.line() as u64, error.to_string()))?;
    let Json { calendar, first, last, weekday_holidays, sessions } = json;
    let title = calendar.as_deref().unwrap_or(name);
    match (sessions, weekday_holidays) {
        (Some(sessions), None) => listed(name, title, sessions, first, last),
        (None, Some(mut holidays)) => {
            let (Some(first), Some(last)) = (first, last) else {
                let reason = "`weekday_holidays` need `first` and `last`, the range they cover";
                return Err(fault(name, 1, reason.to_owned()));
            };
            if first > last {
                return Err(fault(name, 1, format!("`first` {first} is after `last` {last}")));
            }
            holidays.retain(|date| is_weekday(*date));
            holidays.sort_unstable();
            holidays.dedup();
            let days = Days::WeekdaysExcept(holidays);
            Ok(Calendar { name: title.to_owned(), first, last, days })
        }
        _ => Err(fault(name, 1, "give either `sessions` or `weekday_holidays`".to_owned())),
    }
}

/// A calendar of these sessions, known from `first` to `last`, or else from its first session to
/// its last.
fn listed(
    file: &str,
    title: &str,
    mut sessions: Vec<NaiveDate>,
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
) -> Result<Calendar, PriceError> {
    sessions.sort_unstable();
    sessions.dedup();
    let (Some(earliest), Some(latest)) = (sessions.first(), sessions.last()) else {
        return Err(fault(file, 1, "there is no session in it".to_owned()));
    };
    let (first, last) = (first.unwrap_or(*earliest), last.unwrap_or(*latest));
    if *earliest < first || last < *latest {
        let reason = format!(
            "sessions from {earliest} to {latest} do not lie in the range {first} to {last}"
        );
        return Err(fault(file, 1, reason));
    }
    Ok(Calendar { name: title.to_owned(), first, last, days: Days::Listed(sessions) })
}

fn fault(file: &str, line: u64, reason: String) -> PriceError {
    PriceError::Calendar { file: file.to_owned(), line, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact_day::day;

    #[test]
    fn a_session_a_line() {
        let text = "# Bombay\n2025-01-31\n2025-02-01 # Saturday: the budget\n\n2025-01-30\n";
        let calendar = Calendar::parse("xbom.txt", text).unwrap();
        assert_eq!(calendar.name(), "xbom.txt");
        assert_eq!((calendar.first_known(), calendar.last_known()), (day(20250130), day(20250201)));
        assert_eq!(calendar.next_session(day(20250131)), Some(day(20250201)));
        assert_eq!(calendar.next_session(day(20250201)), None);
    }

    #[test]
    fn json_with_holidays_or_sessions() {
        let text = r#"{"calendar": "X", "first": "2025-01-06", "last": "2025-01-12",
            "early_closes": [], "weekday_holidays": ["2025-01-09", "2025-01-11"]}"#;
        let calendar = Calendar::parse("x.json", text).unwrap();
        assert_eq!(calendar.name(), "X");
        let sessions = calendar.sessions_between(day(20250106), day(20250112)).unwrap();
        let days = [20250106, 20250107, 20250108, 20250110].map(day);
        assert_eq!(sessions.collect::<Vec<_>>(), days);

        let text = r#"{"last": "2025-01-12", "sessions": ["2025-01-10", "2025-01-08"]}"#;
        let calendar = Calendar::parse("x.json", text).unwrap();
        assert_eq!((calendar.first_known(), calendar.last_known()), (day(20250108), day(20250112)));
        assert_eq!(calendar.is_session(day(20250109)), Some(false));
        assert_eq!(calendar.next_session(day(20250110)), None);
    }

    #[test]
    fn faults_name_file_and_line() {
        for (text, want) in [
            ("2025-01-06\n\n06/01/2025\n", "x:3: `06/01/2025` is not a date such as 2025-01-10"),
            ("# nothing\n", "x:1: there is no session in it"),
            ("{}", "x:1: give either `sessions` or `weekday_holidays`"),
            (r#"{"sessions": [], "weekday_holidays": []}"#, "x:1: give either"),
            (r#"{"weekday_holidays": []}"#, "x:1: `weekday_holidays` need `first` and `last`"),
            ("{\"sessions\":\n[\"2025-13-01\"]}", "x:2: "),
            (r#"{"first": "2025-02-01", "sessions": ["2025-01-01"]}"#, "do not lie in the range"),
        ] {
            let error = Calendar::parse("x", text).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }
}
