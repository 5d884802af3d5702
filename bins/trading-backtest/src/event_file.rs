use std::path::Path;

use anyhow::{Context, bail};
use backtest_engine::{CorporateAction, Event};
use serde::Deserialize;
use stage_cli::Hint;
use thesis_core::{AsOfDate, DateOrder, Ticker};

/// Reads corporate actions: `date`, `ticker`, `event` (split, dividend, delisting) and `value` (new
/// shares for an old one, dollars a share, return on the last close).
///
/// # Errors
/// A file that cannot be read, and the first row with a fault.
pub(crate) fn read_events(path: &Path, order: DateOrder) -> anyhow::Result<Vec<Event>> {
    const COLUMNS: &str = "--events needs the columns date, ticker, event (split, dividend or \
                           delisting) and value, such as 2020-08-31,AAPL,split,4";
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .hint(COLUMNS)?;
    let mut events = Vec::new();
    for (row, line) in reader.deserialize().zip(2..) {
        let event = row.map_err(anyhow::Error::from).and_then(|row: Row| row.event(order));
        let event = event.with_context(|| format!("{}: row {line}", path.display()));
        events.push(event.hint(COLUMNS)?);
    }
    Ok(events)
}

#[derive(Deserialize)]
struct Row {
    date: String,
    ticker: String,
    event: String,
    value: f64,
}

impl Row {
    fn event(self, order: DateOrder) -> anyhow::Result<Event> {
        let Self { date, ticker, event, value } = self;
        let action = match event.to_lowercase().as_str() {
            "split" => CorporateAction::Split(value),
            "dividend" => CorporateAction::Dividend(value),
            "delisting" => CorporateAction::Delisting(value),
            _ => bail!("`{event}` is no event"),
        };
        let date = AsOfDate::parse_with(&date, order)?.day();
        Ok(Event { date, ticker: Ticker::new(&ticker)?, action })
    }
}
