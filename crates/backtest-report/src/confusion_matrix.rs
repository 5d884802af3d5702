use plotters::style::Color;

use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::cells::Cells;
use crate::diverging::diverging;
use crate::header::{MARGIN, header, header_bottom};
use crate::no_data::no_data;
use crate::number_text::{compact, counted, grouped, percent};
use crate::palette::{INK, MUTED};
use crate::text_width::{fit, text_width};

/// How often each class was called where another one was true.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConfusionMatrix {
    /// Title of the plot, such as `Calls against labels, tuned model`.
    pub title: String,
    /// What the rows are, such as `label`.
    pub row_name: String,
    /// The true classes, from top to bottom.
    pub rows: Vec<String>,
    /// What the columns are, such as `call`.
    pub column_name: String,
    /// The calls, from left to right; one that has the name of a row is right there.
    pub columns: Vec<String>,
    /// A row for each of `rows`, in it a count for each of `columns`; what is missing is 0.
    pub counts: Vec<Vec<u64>>,
}

/// Draws [`ConfusionMatrix`] as an SVG document of the given width in CSS pixels, as high as its rows
/// need. A cell has its count, and its share of the row, which is also its colour; right calls are
/// framed. The colour only gets darker, so that it can be read in grey.
pub fn confusion_matrix(plot: &ConfusionMatrix, width: u32) -> String {
    const ROW: f64 = 50.0;
    const MEASURE: &str = "rows, and their share of all rows with that label";
    let width = Size { width, height: 240 }.readable().width;
    let total: u64 = plot.counts.iter().flatten().fold(0, |sum, count| sum.saturating_add(*count));
    if plot.rows.is_empty() || plot.columns.is_empty() || total == 0 {
        return no_data(Size { width, height: 240 }, &plot.title, MEASURE);
    }
    let top = header_bottom(width, &plot.title, MEASURE, &[]) + 48.0;
    let size = Size { width, height: (top + plot.rows.len() as f64 * ROW + MARGIN) as u32 };
    let summary = format!("{} rows by {} and {}.", total, plot.row_name, plot.column_name);
    svg(size, &plot.title, &summary, |canvas| {
        header(canvas, &plot.title, MEASURE, &[]);
        let cells = names(canvas, plot, top, ROW);
        for row in 0..plot.rows.len() {
            draw_row(canvas, plot, &cells, row);
        }
    })
}

fn draw_row(canvas: &Canvas<'_>, plot: &ConfusionMatrix, cells: &Cells, row: usize) {
    let all = row_total(plot, row);
    for column in 0..plot.columns.len() {
        let (from, to) = cells.corners(row, column);
        if all == 0 {
            cells.cell(canvas, (row, column), None, None);
            continue;
        }
        let count = count(plot, row, column);
        let share = count as f64 / all as f64;
        let colours = diverging(share);
        canvas.rect(from, to, colours.cell.to_rgba());
        let (x, y) = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        if let Some(number) = short_count(count, cells.width - 6.0) {
            canvas.centred(&number, (x, y - 9.0), TEXT_PX + 1.5, colours.text);
        }
        canvas.centred(&percent(share, 0), (x, y + 10.0), 12.0, colours.text);
        if plot.rows[row] == plot.columns[column] {
            cells.frame(canvas, (row, column));
        }
    }
}

/// Writes the names of rows and columns, and says where the cells go.
fn names(canvas: &Canvas<'_>, plot: &ConfusionMatrix, top: f64, height: f64) -> Cells {
    let names: Vec<String> = plot.rows.iter().map(|name| fit(name, TEXT_PX, 160.0)).collect();
    let totals: Vec<String> =
        (0..plot.rows.len()).map(|row| counted(row_total(plot, row), "row")).collect();
    let row_name = fit(&format!("{} ↓", plot.row_name), TEXT_PX, 160.0);
    let texts = names.iter().chain(&totals).chain([&row_name]);
    let widest = texts.map(|text| text_width(text, TEXT_PX)).fold(0.0, f64::max);
    let left = MARGIN + 8.0 + widest;
    let width = (canvas.width - MARGIN - left) / plot.columns.len() as f64;
    let cells = Cells { left, top, width, height };
    let room = canvas.width - MARGIN - left;
    let column_name = fit(&format!("{} →", plot.column_name), TEXT_PX, room);
    canvas.text(&column_name, (left + room / 2.0, top - 36.0), Anchor::Middle, MUTED);
    canvas.text(&row_name, (left - 8.0, top - 36.0), Anchor::End, MUTED);
    cells.column_names(canvas, &plot.columns, top - 13.0);
    for (row, (name, total)) in names.iter().zip(&totals).enumerate() {
        let middle = top + (row as f64 + 0.5) * height;
        canvas.text(name, (left - 8.0, middle - 9.0), Anchor::End, INK);
        canvas.text(total, (left - 8.0, middle + 10.0), Anchor::End, MUTED);
    }
    cells
}

fn count(plot: &ConfusionMatrix, row: usize, column: usize) -> u64 {
    plot.counts.get(row).and_then(|counts| counts.get(column)).copied().unwrap_or(0)
}

fn row_total(plot: &ConfusionMatrix, row: usize) -> u64 {
    (0..plot.columns.len()).fold(0, |sum, column| sum.saturating_add(count(plot, row, column)))
}

/// All digits where they fit, else the leading ones, if they do.
fn short_count(count: u64, width: f64) -> Option<String> {
    let mut texts = [grouped(count as f64, 0), compact(count as f64)].into_iter();
    texts.find(|text| text_width(text, TEXT_PX + 1.5) <= width)
}
