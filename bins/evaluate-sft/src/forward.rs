use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use price_cache::{LoadOptions, Prices, ReturnPrice, at_or_after, forward_return, load_prices};
use stage_cli::Hint;
use thesis_core::{Bar, Severity, Ticker};

use crate::config::{EvalConfig, ReturnBasis};
use crate::rows::Row;

/// Days until the first session that a record's date may be late: a weekend with holidays.
const MAX_WAIT: Days = Days::new(7);

/// Returns after each row, and what is not known of them.
#[derive(Debug, Default)]
pub(crate) struct ForwardReturns {
    /// For each row one a window; NaN where the data end before it.
    pub(crate) of_rows: Vec<Vec<f64>>,
    /// In words.
    pub(crate) warnings: Vec<String>,
    /// Files of prices: the one that was named, or those that are named after the rows' tickers.
    pub(crate) files: Vec<PathBuf>,
}

/// The close-to-close return of each row's ticker over each window of sessions, from the first session at or after its
/// date. Without prices, NaN.
///
/// # Errors
/// A path without prices.
pub(crate) fn forward_returns(
    path: Option<&Path>,
    rows: &[Row],
    config: &EvalConfig,
) -> anyhow::Result<ForwardReturns> {
    let windows = &config.forward_windows;
    let Some(path) = path else {
        let warnings = vec!["no --prices: there are no forward returns".to_owned()];
        let of_rows = vec![vec![f64::NAN; windows.len()]; rows.len()];
        return Ok(ForwardReturns { of_rows, warnings, files: Vec::new() });
    };
    let tickers = rows.iter().map(|row| row.record.ticker.clone()).collect();
    let options = LoadOptions { tickers: Some(tickers), ..LoadOptions::default() };
    let (prices, diagnostics) = load_prices(path, &options)
        .hint("--prices names a folder of TICKER.csv or TICKER.parquet, or one file")?;
    for diagnostic in diagnostics.iter().filter(|d| d.severity == Severity::Error).take(10) {
        tracing::debug!("{diagnostic}");
    }
    let mut found = Found::default();
    let of_rows = rows.iter().map(|row| found.returns(row, &prices, config)).collect();
    let (warnings, files) = (found.warnings(path, rows.len()), files(path, &prices));
    Ok(ForwardReturns { of_rows, warnings, files })
}

/// What was met on the way.
#[derive(Default)]
struct Found {
    without_prices: BTreeMap<Ticker, usize>,
    outside: usize,
    unadjusted: BTreeMap<Ticker, usize>,
}

impl Found {
    fn returns(&mut self, row: &Row, prices: &Prices, config: &EvalConfig) -> Vec<f64> {
        let windows = &config.forward_windows;
        let none = || vec![f64::NAN; windows.len()];
        let record = &row.record;
        let Some(bars) = prices.get(&record.ticker) else {
            *self.without_prices.entry(record.ticker.clone()).or_default() += 1;
            return none();
        };
        let Some(session) = session(bars, record.as_of_date.day()) else {
            self.outside += 1;
            return none();
        };
        let has_adjusted = bars.iter().any(|bar| bar.adj_close.is_some());
        let price = match config.returns {
            ReturnBasis::Adjusted if !has_adjusted => {
                *self.unadjusted.entry(record.ticker.clone()).or_default() += 1;
                ReturnPrice::Close
            }
            basis => basis.into(),
        };
        let of_window = |window: &u32| forward_return(bars, session, *window as usize, price);
        windows.iter().map(of_window).collect()
    }

    fn warnings(&self, path: &Path, rows: usize) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |text: String| warnings.push(text);
        let named = |tickers: &BTreeMap<Ticker, usize>| {
            let names: Vec<&str> = tickers.keys().take(8).map(Ticker::as_str).collect();
            let more = if tickers.len() > names.len() { ", …" } else { "" };
            format!("{}{more}", names.join(", "))
        };
        if !self.without_prices.is_empty() {
            let count: usize = self.without_prices.values().sum();
            warn(format!(
                "{count} of {rows} rows are of tickers without prices in {}: {}",
                path.display(),
                named(&self.without_prices)
            ));
        }
        if self.outside > 0 {
            warn(format!(
                "{} of {rows} rows have dates outside of the prices, which have no session within 7 days of them",
                self.outside
            ));
        }
        if !self.unadjusted.is_empty() {
            warn(format!(
                "{} have no adjusted closes; dividends and splits may not be in their returns",
                named(&self.unadjusted)
            ));
        }
        warnings
    }
}

/// The files that prices came from, as far as their names tell.
fn files(path: &Path, prices: &Prices) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let names = prices.keys().flat_map(|ticker| {
        ["csv", "parquet", "pq"].map(|extension| path.join(format!("{ticker}.{extension}")))
    });
    names.filter(|file| file.is_file()).collect()
}

/// The day of the first bar at or after `date`, unless it is too late to be meant.
fn session(bars: &[Bar], date: NaiveDate) -> Option<NaiveDate> {
    let session = bars.get(at_or_after(bars, date)?)?.date;
    (session <= date.checked_add_days(MAX_WAIT)?).then_some(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_session_at_or_after_a_date() {
        let day = |n| NaiveDate::from_ymd_opt(2024, 1, n).unwrap();
        let bar = |n| Bar {
            date: day(n),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            adj_close: None,
            volume: 0.0,
        };
        let bars = [5, 8, 9, 25].map(bar);
        let check = |date, want: Option<u32>| {
            assert_eq!(session(&bars, day(date)), want.map(day), "{date}");
        };
        check(5, Some(5));
        check(6, Some(8));
        check(10, None);
        check(18, Some(25));
        check(26, None);
        check(1, Some(5));
    }
}
