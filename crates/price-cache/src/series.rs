use std::collections::BTreeMap;

use chrono::NaiveDate;
use thesis_core::{Bar, Diagnostic, Severity};

use crate::bar_row::Fault;

/// The bars of one ticker as they are read: one a date, each with the line it stands on.
#[derive(Debug, Default)]
pub(crate) struct Series(BTreeMap<NaiveDate, (u64, Bar)>);

impl Series {
    /// Adds a bar; one whose date stood there before is noted and left out: `false`.
    pub(crate) fn add(
        &mut self,
        line: u64,
        column: u64,
        bar: Bar,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        if let Some((earlier, kept)) = self.0.get(&bar.date) {
            let (severity, how) = match *kept == bar {
                true => (Severity::Warning, "the same values"),
                false => (Severity::Error, "other values, which are kept"),
            };
            let message = format!("{} stands on line {earlier} already, with {how}", bar.date);
            diagnostics.push(line, severity, Fault { column, message });
            return false;
        }
        self.0.insert(bar.date, (line, bar));
        true
    }

    /// The bars, ascending by date.
    pub(crate) fn into_bars(self) -> Vec<Bar> {
        self.0.into_values().map(|(_, bar)| bar).collect()
    }
}

/// What there is to say of a file, in the order of its lines.
#[derive(Debug)]
pub(crate) struct Diagnostics<'a> {
    file: &'a str,
    pub(crate) list: Vec<Diagnostic>,
}

impl<'a> Diagnostics<'a> {
    pub(crate) fn new(file: &'a str) -> Self {
        Self { file, list: Vec::new() }
    }

    pub(crate) fn push(&mut self, line: u64, severity: Severity, fault: Fault) {
        let Fault { column, message } = fault;
        let file = self.file.to_owned();
        self.list.push(Diagnostic { file, line, column, severity, message });
    }

    /// Notes how reading a row ended: oddities count only where its bar was kept.
    pub(crate) fn after_row(
        &mut self,
        line: u64,
        added: Result<bool, Fault>,
        oddities: Vec<Fault>,
    ) {
        match added {
            Err(fault) => self.push(line, Severity::Error, fault),
            Ok(false) => {}
            Ok(true) => {
                for oddity in oddities {
                    self.push(line, Severity::Warning, oddity);
                }
            }
        }
    }
}
