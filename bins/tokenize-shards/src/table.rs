use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table};
use indicatif::HumanCount;
use tokenize::SplitReport;

/// Columns of a terminal that people leave as it is.
const COLUMNS: usize = 80;

/// The splits side by side, then how long the records of each are.
pub(crate) fn report_table(splits: &[SplitReport]) -> String {
    let mut table = Table::new();
    let heads = [String::new()].into_iter().chain(splits.iter().map(|split| split.split.clone()));
    // Lines between rows would take as much room as the rows.
    let style = UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
    table.load_style(style).set_header(heads.map(right));
    let mut row = |name: &str, cell: &dyn Fn(&SplitReport) -> String| {
        let cells = splits.iter().map(|split| right(cell(split)));
        table.add_row([Cell::new(name)].into_iter().chain(cells));
    };
    row("records", &|split| count(split.records));
    row("  too long", &|split| count(split.overflowing));
    row("  shortened", &|split| count(split.shortened));
    row("  dropped", &|split| count(split.dropped));
    row("examples", &|split| count(split.examples));
    row("rows", &|split| count(split.rows));
    row("tokens", &|split| count(split.tokens));
    row("  targets", &|split| count(split.target_tokens));
    row("  target share", &|split| percent(split.target_share));
    row("longest record", &|split| count(split.longest));
    row("padding share", &|split| percent(split.padding_share));
    if splits.iter().any(|split| split.packing_efficiency.is_some()) {
        row("packing efficiency", &|split| {
            split.packing_efficiency.map_or_else(|| "–".to_owned(), percent)
        });
    }
    let mut text = table.to_string();
    for split in splits.iter().filter(|split| split.records > 0) {
        text += &format!("\n\ntokens a record, {}\n", split.split);
        text += &split.lengths.lines(COLUMNS, split.max_length).join("\n");
    }
    text
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
