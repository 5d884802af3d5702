use std::path::PathBuf;

use clap::Parser;
use price_cache::{Adjustment, Check, Policy};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use stage_cli::CommonArgs;
use thesis_core::{AsOfDate, Ticker};

use crate::config::SourceChoice;

/// Fetch daily prices into a cache of Parquet files, one a ticker
///
/// Only what is missing is fetched; where a split or dividend has rewritten a history, all of it
/// is. Without --source, EODHD is asked first and Yahoo where EODHD fails or lacks a ticker. EODHD
/// needs a key, EODHD_API_KEY in the environment or in a file .env. A ticker that fails leaves
/// the others alone; the exit code is then 1.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Tickers, such as AAPL,BRK.B,^GSPC
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub(crate) tickers: Vec<Ticker>,
    /// File with more tickers, separated by white space or commas; # begins a comment
    #[arg(long, value_name = "FILE")]
    pub(crate) tickers_file: Option<PathBuf>,
    /// The cache; its folder is made where there is none
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: PathBuf,
    /// First day
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<AsOfDate>,
    /// Last day [default: today; sessions that have not ended are left out]
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<AsOfDate>,
    /// Where prices come from: auto, eodhd, yahoo, csv, parquet [default: auto]
    #[arg(long, value_name = "SOURCE", value_parser = word::<SourceChoice>)]
    pub(crate) source: Option<SourceChoice>,
    /// Folder or file with the prices of --source csv or parquet
    #[arg(long, value_name = "PATH", help_heading = FILES)]
    pub(crate) input: Option<PathBuf>,
    /// What the input's open to close are adjusted for: raw, splits, splits_and_dividends, unknown
    /// [default: unknown]
    #[arg(long, value_name = "WHAT", help_heading = FILES, value_parser = word::<Adjustment>)]
    pub(crate) adjustment: Option<Adjustment>,
    /// Sessions: xnys, weekdays, none, or a file [default: xnys]
    #[arg(long, value_name = "CALENDAR", help_heading = CHECKS)]
    pub(crate) calendar: Option<String>,
    /// What to do about a bar that a check finds fault with; may be repeated. Checks: impossible,
    /// duplicate, jump, no_session, missing_session. Policies: drop, keep, fail
    #[arg(long, value_name = "CHECK=POLICY", help_heading = CHECKS, value_parser = policy)]
    pub(crate) policy: Vec<(Check, Policy)>,
    /// Largest move from close to close without a corporate action, as a share [default: 0.4]
    #[arg(long, value_name = "SHARE", help_heading = CHECKS)]
    pub(crate) max_jump: Option<f64>,
    /// Address of EODHD
    #[arg(long, value_name = "URL", help_heading = WEB)]
    pub(crate) eodhd_url: Option<String>,
    /// Address of Yahoo's chart service
    #[arg(long, value_name = "URL", help_heading = WEB)]
    pub(crate) yahoo_url: Option<String>,
    /// Most requests a second to one service; 0 for no limit [default: 4]
    #[arg(long, value_name = "N", help_heading = WEB)]
    pub(crate) rate: Option<f64>,
    /// Seconds that one attempt may take [default: 30]
    #[arg(long, value_name = "SECONDS", help_heading = WEB)]
    pub(crate) timeout: Option<f64>,
    /// Attempts after a failed one [default: 4]
    #[arg(long, value_name = "N", help_heading = WEB)]
    pub(crate) retries: Option<u32>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const FILES: &str = "Files as a source";
const CHECKS: &str = "Checks";
const WEB: &str = "Web services";

const EXAMPLES: &str = "\
Examples:
  fetch-prices --tickers AAPL,MSFT,BRK.B --from 2015-01-01 --cache prices
  fetch-prices --tickers-file sp500.txt --from 2015-01-01 --to 2024-12-31 --cache prices \\
      --source yahoo --rate 2
  fetch-prices --tickers AAPL --from 2015-01-01 --cache prices --source csv --input exports \\
      --adjustment splits --policy jump=fail

Open it in Python:
  pandas.read_parquet(\"prices/AAPL.parquet\")";

impl Args {
    /// The settings that flags give.
    pub(crate) fn flags(&self) -> Map<String, Value> {
        let Self {
            tickers: _,
            tickers_file: _,
            cache: _,
            from,
            to,
            source,
            input,
            adjustment,
            calendar,
            policy,
            max_jump,
            eodhd_url,
            yahoo_url,
            rate,
            timeout,
            retries,
            common: _,
        } = self;
        let mut checks = Map::new();
        for (check, policy) in policy {
            if let Value::String(check) = json!(check) {
                checks.insert(check, json!(policy));
            }
        }
        checks.extend(max_jump.map(|share| ("max_jump".to_owned(), json!(share))));
        let given = [
            ("from", from.map(|v| json!(v))),
            ("to", to.map(|v| json!(v))),
            ("source", source.map(|v| json!(v))),
            ("input", input.as_ref().map(|v| json!(v))),
            ("adjustment", adjustment.map(|v| json!(v))),
            ("calendar", calendar.as_ref().map(|v| json!(v))),
            ("checks", (!checks.is_empty()).then(|| json!(checks))),
            ("eodhd_url", eodhd_url.as_ref().map(|v| json!(v))),
            ("yahoo_url", yahoo_url.as_ref().map(|v| json!(v))),
            ("rate", rate.map(|v| json!(v))),
            ("timeout_seconds", timeout.map(|v| json!(v))),
            ("retries", retries.map(|v| json!(v))),
        ];
        let given = given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        given.collect()
    }
}

/// Reads a word as settings files do.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}

fn policy(text: &str) -> Result<(Check, Policy), String> {
    let (check, policy) = text.split_once('=').ok_or("write it as jump=drop")?;
    Ok((word(check.trim())?, word(policy.trim())?))
}
