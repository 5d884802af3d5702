use chrono::NaiveDate;
use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use indicatif::HumanCount;

use crate::fetch::Outcome;

/// Lines above, below and under the head, and none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// A row a ticker.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let heads = ["ticker", "source", "first", "last", "bars", "new", "notes"];
    let mut table = Table::new();
    table.load_style(STYLE).set_header(heads.map(|head| right(head.to_owned())));
    for Outcome { ticker, update } in outcomes {
        let cells = match update {
            Err(_) => ["failed", "–", "–", "–", "–", "–"].map(str::to_owned),
            Ok(update) => {
                let bars = &update.file.bars;
                [
                    update.file.meta.source.clone(),
                    date(bars.first().map(|bar| bar.date)),
                    date(bars.last().map(|bar| bar.date)),
                    count(bars.len()),
                    count(update.new_bars),
                    count(update.notes.len()),
                ]
            }
        };
        table.add_row([Cell::new(ticker)].into_iter().chain(cells.map(right)));
    }
    table.trim_fmt()
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn count(n: usize) -> String {
    HumanCount(n as u64).to_string()
}

fn date(date: Option<NaiveDate>) -> String {
    date.map_or_else(|| "–".to_owned(), |date| date.to_string())
}
