use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use price_cache::{Adjustment, Calendar, CheckConfig, Eodhd, HttpSettings, Yahoo, load_calendar};
use serde::{Deserialize, Serialize};
use stage_cli::Hint;
use thesis_core::{AsOfDate, DateOrder};

/// The settings of `configs/prices.yaml`, which documents each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PricesConfig {
    pub(crate) from: Option<AsOfDate>,
    pub(crate) to: Option<AsOfDate>,
    pub(crate) source: SourceChoice,
    pub(crate) input: Option<PathBuf>,
    pub(crate) adjustment: Adjustment,
    pub(crate) date_order: DateOrder,
    pub(crate) calendar: String,
    pub(crate) checks: CheckConfig,
    pub(crate) eodhd_url: String,
    pub(crate) yahoo_url: String,
    pub(crate) rate: f64,
    pub(crate) timeout_seconds: f64,
    pub(crate) retries: u32,
    pub(crate) longest_wait_seconds: f64,
    pub(crate) user_agent: String,
}

/// Where prices come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceChoice {
    /// EODHD, and Yahoo where that fails or lacks the ticker.
    Auto,
    /// EODHD alone.
    Eodhd,
    /// Yahoo alone.
    Yahoo,
    /// Files of CSV.
    Csv,
    /// Files of Parquet.
    Parquet,
}

impl Default for PricesConfig {
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            source: SourceChoice::Auto,
            input: None,
            adjustment: Adjustment::Unknown,
            date_order: DateOrder::Refuse,
            calendar: "xnys".to_owned(),
            checks: CheckConfig::default(),
            eodhd_url: Eodhd::BASE_URL.to_owned(),
            yahoo_url: Yahoo::BASE_URL.to_owned(),
            rate: 4.0,
            timeout_seconds: 30.0,
            retries: 4,
            longest_wait_seconds: 120.0,
            user_agent: HttpSettings::default().user_agent,
        }
    }
}

impl PricesConfig {
    /// The first and the last day, the latter `today` unless it is set.
    ///
    /// # Errors
    /// No first day, or one after the last.
    pub(crate) fn range(&self, today: AsOfDate) -> anyhow::Result<(AsOfDate, AsOfDate)> {
        let from = self.from.context("nothing says from when on").hint("give --from DATE")?;
        let to = self.to.unwrap_or(today);
        if from > to {
            bail!("`from` ({from}) lies after `to` ({to})");
        }
        Ok((from, to))
    }

    /// The calendar, or `None` for `none`.
    ///
    /// # Errors
    /// A file that cannot be read or is no calendar.
    pub(crate) fn calendar(&self) -> anyhow::Result<Option<Calendar>> {
        let calendar = load_calendar(&self.calendar)
            .with_context(|| format!("cannot read the calendar {}", self.calendar));
        calendar.hint("--calendar is xnys, weekdays, none, or a file of sessions")
    }

    /// How web services are asked.
    ///
    /// # Errors
    /// Figures out of their range.
    pub(crate) fn http(&self) -> anyhow::Result<HttpSettings> {
        let seconds = |name: &str, value: f64| {
            let time = Duration::try_from_secs_f64(value).ok().filter(|time| !time.is_zero());
            time.with_context(|| format!("`{name}` ({value}) must be above 0"))
        };
        if !(self.rate >= 0.0 && self.rate.is_finite()) {
            bail!("`rate` ({}) must not be below 0", self.rate);
        }
        Ok(HttpSettings {
            timeout: seconds("timeout_seconds", self.timeout_seconds)?,
            retries: self.retries,
            rate: self.rate,
            longest_wait: seconds("longest_wait_seconds", self.longest_wait_seconds)?,
            user_agent: self.user_agent.clone(),
            ..HttpSettings::default()
        })
    }

    /// Looks at the checks' figures.
    ///
    /// # Errors
    /// A limit on jumps that is none.
    pub(crate) fn checks(&self) -> anyhow::Result<CheckConfig> {
        let limit = self.checks.max_jump;
        if limit > 0.0 { Ok(self.checks) } else { bail!("`max_jump` ({limit}) must be above 0") }
    }
}
