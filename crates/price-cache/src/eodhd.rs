use std::fmt::Write;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::Value;
use thesis_core::{Bar, Diagnostic, Ticker};

use crate::api_key::percent_encode;
use crate::http::HttpClient;
use crate::http::json::{self, LeftOut, malformed, number, quote, warning};
use crate::{Adjustment, ApiKey, CorporateAction, Fetched, PriceError, PriceSource, SourceError};

/// EODHD's end-of-day service: raw prices with an adjusted close, splits and dividends. It needs a
/// key, and a question about a ticker is three requests.
///
/// Tickers are those of the United States unless they name another of its exchanges, as `BMW.XETRA`
/// does; `^GSPC` is asked for as `GSPC.INDX`, `EURUSD=X` as `EURUSD.FOREX`, the class share `BRK.B`
/// as `BRK-B.US`.
#[derive(Debug, Clone)]
pub struct Eodhd {
    client: Arc<HttpClient>,
    base_url: String,
    key: ApiKey,
}

impl Eodhd {
    /// Its own address.
    pub const BASE_URL: &str = "https://eodhd.com";
    const NAME: &str = "eodhd";

    /// The service at `base_url`, without a slash at its end.
    ///
    /// # Errors
    /// [`PriceError::BaseUrl`] for an address that is not `https`, unless it is this machine: the
    /// key would travel for all to read.
    pub fn new(client: Arc<HttpClient>, base_url: &str, key: ApiKey) -> Result<Self, PriceError> {
        let base_url = base_url.trim_end_matches('/');
        let is_here = base_url.strip_prefix("http://").is_some_and(|rest| {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            matches!(host, "localhost" | "127.0.0.1" | "[::1]")
        });
        if !base_url.starts_with("https://") && !is_here {
            let reason = "it must begin with https://, since the key is part of each question";
            return Err(PriceError::BaseUrl { url: base_url.to_owned(), reason });
        }
        Ok(Self { client, base_url: base_url.to_owned(), key })
    }

    /// Asks for one of its lists of a ticker.
    fn ask(
        &self,
        list: &str,
        ticker: &Ticker,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<Vec<Value>, SourceError> {
        let mut url = format!("{}/api/{list}/", self.base_url);
        url += &percent_encode(&symbol(ticker));
        // Writing to a string cannot fail.
        let _ =
            write!(url, "?from={from}&to={to}&period=d&fmt=json&api_token={}", self.key.in_query());
        let answer = self.client.get(Self::NAME, &url, Some(&self.key))?;
        let source_name = || Self::NAME.to_owned();
        let said = || format!("status {}: {}", answer.status, quote(&answer.text));
        match answer.status {
            200 => {}
            404 => {
                let ticker = ticker.clone();
                return Err(SourceError::NoSuchTicker { source_name: source_name(), ticker });
            }
            401..=403 => {
                return Err(SourceError::Refused { source_name: source_name(), reason: said() });
            }
            _ => return Err(malformed(Self::NAME, said())),
        }
        match json::parse(Self::NAME, &answer.text)? {
            Value::Array(rows) => Ok(rows),
            _ => {
                let reason = format!("no list of rows: {}", quote(&answer.text));
                Err(malformed(Self::NAME, reason))
            }
        }
    }

    /// Splits and dividends; where the plan has none of them, a note that says so.
    fn actions(
        &self,
        ticker: &Ticker,
        range: (NaiveDate, NaiveDate),
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<CorporateAction> {
        let mut actions = Vec::new();
        for (list, read) in [("splits", split as fn(&Value) -> _), ("div", dividend)] {
            match self.ask(list, ticker, range) {
                Ok(rows) => {
                    let read: Vec<Option<CorporateAction>> = rows.iter().map(read).collect();
                    let unread = read.iter().filter(|action| action.is_none()).count();
                    if unread > 0 {
                        let message = format!("{unread} rows of `{list}` cannot be read");
                        diagnostics.push(warning(Self::NAME, ticker, message));
                    }
                    actions.extend(read.into_iter().flatten());
                }
                // It knows the ticker; there is nothing in this list.
                Err(SourceError::NoSuchTicker { .. }) => {}
                Err(error) => {
                    let message = format!("without `{list}`: {error}");
                    diagnostics.push(warning(Self::NAME, ticker, message));
                }
            }
        }
        actions.sort_by_key(CorporateAction::date);
        actions
    }
}

impl PriceSource for Eodhd {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn adjustment(&self) -> Adjustment {
        Adjustment::Raw
    }

    fn fetch(
        &self,
        ticker: &Ticker,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Fetched, SourceError> {
        let rows = self.ask("eod", ticker, (from, to))?;
        let mut fetched = Fetched::default();
        let mut left_out = LeftOut::default();
        for row in &rows {
            if let Some(text) = row.get("warning").and_then(Value::as_str) {
                fetched.diagnostics.push(warning(Self::NAME, ticker, text.to_owned()));
                if row.get("date").is_none() {
                    continue;
                }
            }
            match bar(row) {
                Some(bar) => fetched.bars.push(bar),
                None => left_out.add(date(row)),
            }
        }
        let is_none = |row: &Value| date(row).is_none() && row.get("warning").is_none();
        if !rows.is_empty() && rows.iter().all(is_none) {
            let reason = format!("no row has a date: {}", quote(&rows[0].to_string()));
            return Err(malformed(Self::NAME, reason));
        }
        fetched.diagnostics.extend(left_out.diagnostic(Self::NAME, ticker));
        if !fetched.bars.is_empty() {
            fetched.actions = self.actions(ticker, (from, to), &mut fetched.diagnostics);
        }
        Ok(fetched)
    }
}

fn bar(row: &Value) -> Option<Bar> {
    let get = |name: &str| number(row.get(name));
    Some(Bar {
        date: date(row)?,
        open: get("open")?,
        high: get("high")?,
        low: get("low")?,
        close: get("close")?,
        adj_close: get("adjusted_close"),
        volume: get("volume").unwrap_or(0.0),
    })
}

/// `{"date": "2020-08-31", "split": "4.000000/1.000000"}`.
fn split(row: &Value) -> Option<CorporateAction> {
    let (new, old) = row.get("split")?.as_str()?.split_once('/')?;
    let ratio = new.trim().parse::<f64>().ok()? / old.trim().parse::<f64>().ok()?;
    let date = date(row)?;
    (ratio.is_finite() && ratio > 0.0).then_some(CorporateAction::Split { date, ratio })
}

/// `{"date": "2020-11-06", "value": 0.205, "unadjustedValue": 0.205, …}`: prices here are raw, and so
/// is the amount beside them.
fn dividend(row: &Value) -> Option<CorporateAction> {
    let amount = number(row.get("unadjustedValue")).or_else(|| number(row.get("value")))?;
    Some(CorporateAction::Dividend { date: date(row)?, amount })
}

fn date(row: &Value) -> Option<NaiveDate> {
    row.get("date")?.as_str()?.parse().ok()
}

/// The name that EODHD knows a ticker by.
fn symbol(ticker: &Ticker) -> String {
    let text = ticker.as_str();
    if let Some(index) = text.strip_prefix('^') {
        return format!("{index}.INDX");
    }
    if let Some(pair) = text.strip_suffix("=X") {
        return format!("{pair}.FOREX");
    }
    match text.rsplit_once('.') {
        // No exchange of EODHD has a code of one letter.
        Some((root, class)) if class.len() == 1 => format!("{root}-{class}.US"),
        Some(_) => text.to_owned(),
        None => format!("{text}.US"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HttpSettings, SystemClock};

    #[test]
    fn symbols() {
        for (ticker, want) in [
            ("AAPL", "AAPL.US"),
            ("BRK.B", "BRK-B.US"),
            ("BRK-B", "BRK-B.US"),
            ("BMW.XETRA", "BMW.XETRA"),
            ("^GSPC", "GSPC.INDX"),
            ("EURUSD=X", "EURUSD.FOREX"),
        ] {
            assert_eq!(symbol(&Ticker::new(ticker).unwrap()), want);
        }
    }

    #[test]
    fn the_key_is_sent_to_no_plain_address() {
        let client = Arc::new(HttpClient::new(HttpSettings::default(), Arc::new(SystemClock)));
        let check = |url: &str| {
            let key = ApiKey::new("k").unwrap();
            Eodhd::new(Arc::clone(&client), url, key).is_ok()
        };
        for url in
            ["https://eodhd.com/", "http://localhost:1", "http://127.0.0.1:80/x", "http://[::1]:9"]
        {
            assert!(check(url), "{url}");
        }
        for url in [
            "http://eodhd.com",
            "http://localhost.evil.com",
            "eodhd.com",
            "http://127.0.0.1@evil.com",
            "",
        ] {
            assert!(!check(url), "{url}");
        }
        let shown =
            format!("{:?}", Eodhd::new(client, Eodhd::BASE_URL, ApiKey::new("k3y").unwrap()));
        assert!(!shown.contains("k3y") && shown.contains("ApiKey(…)"), "{shown}");
    }
}
