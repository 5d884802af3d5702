use std::sync::Arc;

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde_json::Value;
use thesis_core::{Bar, Ticker};

use crate::api_key::percent_encode;
use crate::http::HttpClient;
use crate::http::json::{self, LeftOut, malformed, number, quote};
use crate::{Adjustment, CorporateAction, Fetched, PriceSource, SourceError};

/// Yahoo's chart service: prices adjusted for splits, with an adjusted close, splits and dividends.
/// It needs no key.
///
/// Tickers are Yahoo's own, but for class shares: `BRK.B` is asked for as `BRK-B`. A dot before `L`,
/// `F`, `T` or `V` stays, those being exchanges; write such a class with a hyphen.
#[derive(Debug, Clone)]
pub struct Yahoo {
    client: Arc<HttpClient>,
    base_url: String,
}

impl Yahoo {
    /// Its own address.
    pub const BASE_URL: &str = "https://query1.finance.yahoo.com";
    const NAME: &str = "yahoo";

    /// The service at `base_url`.
    pub fn new(client: Arc<HttpClient>, base_url: &str) -> Self {
        Self { client, base_url: base_url.trim_end_matches('/').to_owned() }
    }

    /// The chart of a ticker; `None` where it knows the ticker but has nothing in these days.
    fn chart(
        &self,
        ticker: &Ticker,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Option<Value>, SourceError> {
        // A session's stamp is its opening, which may be the day before or after in UTC.
        let first = from.checked_sub_days(Days::new(1)).unwrap_or(from);
        let last = to.checked_add_days(Days::new(2)).unwrap_or(to);
        let stamp = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc().timestamp();
        let url = format!(
            "{}/v8/finance/chart/{}?period1={}&period2={}&interval=1d&events=div%2Csplit\
             &includeAdjustedClose=true",
            self.base_url,
            percent_encode(&symbol(ticker)),
            stamp(first),
            stamp(last)
        );
        let answer = self.client.get(Self::NAME, &url, None)?;
        let source_name = || Self::NAME.to_owned();
        let said = || format!("status {}: {}", answer.status, quote(&answer.text));
        if matches!(answer.status, 401..=403) {
            return Err(SourceError::Refused { source_name: source_name(), reason: said() });
        }
        let parsed = json::parse(Self::NAME, &answer.text);
        let mut parsed = match (parsed, answer.status) {
            (Ok(parsed), _) => parsed,
            (Err(error), 200) => return Err(error),
            (Err(_), _) => return Err(malformed(Self::NAME, said())),
        };
        let error = parsed.pointer("/chart/error").filter(|error| !error.is_null());
        if let Some(error) = error {
            let text = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
            return match (text("code"), text("description")) {
                (_, description) if description.starts_with("Data doesn't exist") => Ok(None),
                ("Not Found", _) => {
                    let ticker = ticker.clone();
                    Err(SourceError::NoSuchTicker { source_name: source_name(), ticker })
                }
                (code, description) => {
                    let reason = format!("{code}: {}", quote(description));
                    Err(malformed(Self::NAME, reason))
                }
            };
        }
        if answer.status != 200 {
            return Err(malformed(Self::NAME, said()));
        }
        match parsed.pointer_mut("/chart/result/0") {
            Some(chart) => Ok(Some(chart.take())),
            None => Err(malformed(Self::NAME, format!("no chart: {}", quote(&answer.text)))),
        }
    }
}

impl PriceSource for Yahoo {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn adjustment(&self) -> Adjustment {
        Adjustment::Splits
    }

    fn fetch(
        &self,
        ticker: &Ticker,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Fetched, SourceError> {
        let Some(chart) = self.chart(ticker, from, to)? else { return Ok(Fetched::default()) };
        let meta = |name: &str| chart.get("meta").and_then(|meta| meta.get(name));
        // Over a long range it may choose weeks or months by itself.
        if let Some(step) = meta("dataGranularity").and_then(Value::as_str).filter(|s| *s != "1d") {
            return Err(malformed(Self::NAME, format!("bars of {step} where 1d was asked for")));
        }
        let zone = Zone::of(
            meta("exchangeTimezoneName").and_then(Value::as_str),
            meta("gmtoffset").and_then(Value::as_i64),
        );
        let in_range = |date: &NaiveDate| from <= *date && *date <= to;
        let day = |value: &Value| zone.day(value.as_i64()?);

        let mut fetched = Fetched::default();
        let mut left_out = LeftOut::default();
        // Without bars in the range, there is no list of them.
        let stamps =
            chart.get("timestamp").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let column = |path: &str| -> &[Value] {
            chart.pointer(path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
        };
        let quote = |name| column(&format!("/indicators/quote/0/{name}")).to_vec();
        let columns = [quote("open"), quote("high"), quote("low"), quote("close")];
        let (volume, adj_close) = (quote("volume"), column("/indicators/adjclose/0/adjclose"));
        if let Some(short) = columns.iter().find(|column| column.len() != stamps.len()) {
            let reason = format!("{} days and {} prices", stamps.len(), short.len());
            return Err(malformed(Self::NAME, reason));
        }
        for (row, stamp) in stamps.iter().enumerate() {
            let Some(date) = day(stamp) else {
                left_out.add(None);
                continue;
            };
            if !in_range(&date) {
                continue;
            }
            let [open, high, low, close] = [0, 1, 2, 3].map(|c: usize| number(columns[c].get(row)));
            let (Some(open), Some(high), Some(low), Some(close)) = (open, high, low, close) else {
                left_out.add(Some(date));
                continue;
            };
            let adj_close = number(adj_close.get(row));
            let volume = number(volume.get(row)).unwrap_or(0.0);
            fetched.bars.push(Bar { date, open, high, low, close, adj_close, volume });
        }
        fetched.diagnostics.extend(left_out.diagnostic(Self::NAME, ticker));
        let events = |kind: &str| {
            let events = chart.get("events").and_then(|events| events.get(kind));
            let events = events.and_then(Value::as_object).into_iter().flat_map(|map| map.values());
            events.filter_map(|event| Some((day(event.get("date")?)?, event))).collect::<Vec<_>>()
        };
        fetched.actions.extend(events("splits").into_iter().filter_map(|(date, event)| {
            let ratio = number(event.get("numerator"))? / number(event.get("denominator"))?;
            (ratio.is_finite() && ratio > 0.0).then_some(CorporateAction::Split { date, ratio })
        }));
        fetched.actions.extend(events("dividends").into_iter().filter_map(|(date, event)| {
            Some(CorporateAction::Dividend { date, amount: number(event.get("amount"))? })
        }));
        fetched.actions.retain(|action| in_range(&action.date()));
        fetched.actions.sort_by_key(CorporateAction::date);
        fetched.currency = meta("currency").and_then(Value::as_str).map(str::to_owned);
        Ok(fetched)
    }
}

/// Where a stamp's day is told.
enum Zone {
    Named(Tz),
    /// Of today; a summer time in between shifts no opening to another day.
    Offset(FixedOffset),
}

impl Zone {
    fn of(name: Option<&str>, offset: Option<i64>) -> Self {
        if let Some(zone) = name.and_then(|name| name.parse().ok()) {
            return Self::Named(zone);
        }
        let offset = offset.and_then(|seconds| FixedOffset::east_opt(i32::try_from(seconds).ok()?));
        offset.map_or(Self::Named(Tz::America__New_York), Self::Offset)
    }

    fn day(&self, stamp: i64) -> Option<NaiveDate> {
        let instant = DateTime::from_timestamp(stamp, 0)?;
        Some(match self {
            Self::Named(zone) => instant.with_timezone(zone).date_naive(),
            Self::Offset(offset) => instant.with_timezone(offset).date_naive(),
        })
    }
}

/// The name that Yahoo knows a ticker by.
fn symbol(ticker: &Ticker) -> String {
    let text = ticker.as_str();
    match text.rsplit_once('.') {
        Some((root, class)) if class.len() == 1 && !matches!(class, "L" | "F" | "T" | "V") => {
            format!("{root}-{class}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols() {
        for (ticker, want) in [
            ("AAPL", "AAPL"),
            ("BRK.B", "BRK-B"),
            ("BF-B", "BF-B"),
            ("VOD.L", "VOD.L"),
            ("0700.HK", "0700.HK"),
            ("^GSPC", "^GSPC"),
        ] {
            assert_eq!(symbol(&Ticker::new(ticker).unwrap()), want);
        }
    }

    #[test]
    fn days_are_those_of_the_exchange() {
        let check = |name, offset, stamp, want: &str| {
            assert_eq!(Zone::of(name, offset).day(stamp).unwrap().to_string(), want);
        };
        // 2022-11-04 13:30 UTC; 2022-11-03 23:00 UTC, ten in the morning in Sydney.
        check(Some("America/New_York"), None, 1_667_568_600, "2022-11-04");
        check(Some("Australia/Sydney"), Some(36_000), 1_667_516_400, "2022-11-04");
        check(Some("Nowhere/Land"), Some(36_000), 1_667_516_400, "2022-11-04");
        check(None, None, 1_667_516_400, "2022-11-03");
    }
}
