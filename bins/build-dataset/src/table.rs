use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use dataset_split::{Lengths, Split, SplitStatistics, Statistics};
use indicatif::HumanCount;
use thesis_core::{Action, AsOfDate};

/// Lines above, below and under the head, and none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// One data set: a column a split.
pub(crate) fn split_table(statistics: &Statistics) -> String {
    let splits = &statistics.splits;
    let mut table = new_table(
        [String::new()].into_iter().chain(splits.iter().map(|split| split.split.to_string())),
    );
    let mut row = |name: &str, cell: &dyn Fn(&SplitStatistics) -> String| {
        let cells = splits.iter().map(|split| right(cell(split)));
        table.add_row([Cell::new(name)].into_iter().chain(cells));
    };
    row("rows", &|split| count(split.rows));
    if splits.iter().any(|split| split.rows != split.records) {
        row("  repeated", &|split| count(split.rows - split.records));
    }
    row("under embargo", &|split| count(split.embargoed));
    row("first date", &|split| date(split.first_date));
    row("last date", &|split| date(split.last_date));
    row("dates", &|split| count(split.dates));
    row("tickers", &|split| count(split.tickers));
    for action in Action::ALL {
        row(action.as_str(), &|split| share(split.classes[action], split.rows));
    }
    if splits.iter().any(|split| split.class_weights.is_some()) {
        for action in Action::ALL {
            let weight = |split: &SplitStatistics| split.class_weights.map_or(1.0, |w| w[action]);
            row(&format!("weight {action}"), &|split| format!("{:.3}", weight(split)));
        }
    }
    row("input chars", &|split| lengths(split.input_chars));
    row("output chars", &|split| lengths(split.output_chars));
    format!("{}\n chars: least/median/95 %/most", table.trim_fmt())
}

/// Many data sets: a row a fold.
pub(crate) fn fold_table(folds: &[(String, Statistics)]) -> String {
    let heads = ["", "train from", "rows", "val. rows", "test from", "test to", "rows"];
    let mut table = new_table(heads.map(str::to_owned).into_iter());
    for (name, statistics) in folds {
        let of = |split| statistics.splits.iter().find(|s| s.split == split);
        let rows = |split| of(split).map_or_else(|| "–".to_owned(), |s| count(s.rows));
        let test = of(Split::Test).map(|s| s.range).unwrap_or_default();
        let train = of(Split::Train).map(|s| s.range).unwrap_or_default();
        let cells = [
            date(train.first),
            rows(Split::Train),
            rows(Split::Validation),
            date(test.first),
            date(test.last),
            rows(Split::Test),
        ];
        table.add_row([Cell::new(name)].into_iter().chain(cells.map(right)));
    }
    table.trim_fmt()
}

fn new_table(heads: impl Iterator<Item = String>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(heads.map(right));
    table
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

fn share(n: u64, of: u64) -> String {
    match of {
        0 => "0".to_owned(),
        _ => format!("{} {:5.1} %", HumanCount(n), 100.0 * n as f64 / of as f64),
    }
}

fn date(date: Option<AsOfDate>) -> String {
    date.map_or_else(|| "–".to_owned(), |date| date.to_string())
}

fn lengths(lengths: Option<Lengths>) -> String {
    lengths.map_or_else(
        || "–".to_owned(),
        |Lengths { min, median, p95, max }| format!("{min}/{median}/{p95}/{max}"),
    )
}
