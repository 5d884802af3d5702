use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thesis_core::{Action, AsOfDate, Diagnostic, Record, Severity, Ticker};

/// Diagnostics beyond this many are in the log and in the rejects, not in the report.
const REPORTED: usize = 1_000;

/// What came of an input: the contents of `--report`.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    pub(crate) duplicates: u64,
    /// Refused items by reason.
    pub(crate) rejected: BTreeMap<String, u64>,
    /// What gave no record without being at fault, by reason.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// Faults: refused items, and damaged files.
    pub(crate) errors: u64,
    pub(crate) warnings: u64,
    pub(crate) first_date: Option<AsOfDate>,
    pub(crate) last_date: Option<AsOfDate>,
    /// Records by action, in the order of reports.
    pub(crate) actions: Vec<(Action, u64)>,
    pub(crate) tickers: BTreeSet<Ticker>,
    /// The first thousand.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            files: 0,
            bytes: 0,
            records: 0,
            duplicates: 0,
            rejected: BTreeMap::new(),
            skipped: BTreeMap::new(),
            errors: 0,
            warnings: 0,
            first_date: None,
            last_date: None,
            actions: Action::ALL.map(|action| (action, 0)).to_vec(),
            tickers: BTreeSet::new(),
            diagnostics: Vec::new(),
        }
    }
}

impl Counts {
    /// Counts a record that is written.
    pub(crate) fn record(&mut self, record: &Record) {
        let date = record.as_of_date;
        self.records += 1;
        self.actions[record.action.index()].1 += 1;
        self.first_date = Some(self.first_date.map_or(date, |first| first.min(date)));
        self.last_date = Some(self.last_date.map_or(date, |last| last.max(date)));
        if !self.tickers.contains(&record.ticker) {
            self.tickers.insert(record.ticker.clone());
        }
    }

    /// Counts and logs a diagnostic; the console shows the first twenty.
    pub(crate) fn diagnostic(&mut self, diagnostic: Diagnostic) {
        const SHOWN: u64 = 20;
        let Diagnostic { file, line, column, severity, message } = &diagnostic;
        let text = format!("{file}:{line}:{column}: {message}");
        match (severity, self.errors + self.warnings) {
            (Severity::Error, ..SHOWN) => tracing::error!("{text}"),
            (Severity::Warning, ..SHOWN) => tracing::warn!("{text}"),
            (_, SHOWN) => tracing::warn!("more faults and oddities are in the log alone"),
            _ => {}
        }
        if self.errors + self.warnings >= SHOWN {
            tracing::debug!("{severity}: {text}");
        }
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.diagnostics.len() < REPORTED {
            self.diagnostics.push(diagnostic);
        }
    }
}
