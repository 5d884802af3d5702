//! What the tests of this crate share: the fixture prices and the closes of the exchange.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use chrono_tz::America::New_York;
use thesis_core::{Bar, Ticker};

/// 16:00 in New York, on the one half day of the fixtures 13:00.
pub(crate) fn close_of(date: NaiveDate) -> DateTime<Utc> {
    let hour = if date == day("2022-11-25") { 13 } else { 16 };
    let local = date.and_hms_opt(hour, 0, 0).unwrap();
    New_York.from_local_datetime(&local).unwrap().to_utc()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The bars of `fixtures/prices`.
pub(crate) fn prices() -> BTreeMap<Ticker, Vec<Bar>> {
    let aapl = include_str!("../../../../fixtures/prices/AAPL.csv");
    let nflx = include_str!("../../../../fixtures/prices/NFLX.csv");
    [("AAPL", aapl), ("NFLX", nflx)]
        .map(|(ticker, text)| (ticker.parse().unwrap(), text.lines().skip(1).map(bar).collect()))
        .into()
}

fn bar(line: &str) -> Bar {
    let fields: Vec<&str> = line.split(',').collect();
    let number = |i: usize| fields[i].parse::<f64>().unwrap();
    Bar {
        date: day(fields[0]),
        open: number(1),
        high: number(2),
        low: number(3),
        close: number(4),
        adj_close: Some(number(5)),
        volume: number(6),
    }
}
