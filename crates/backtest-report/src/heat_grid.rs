use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::cells::Cells;
use crate::diverging::full_colour_at;
use crate::header::{MARGIN, header};
use crate::no_data::no_data;
use crate::number_text::fixed;
use crate::palette::MUTED;
use crate::series::is_drawable;
use crate::text_width::{fit, text_width};

/// One figure over two settings, such as the net Sharpe ratio over costs and slippage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatGrid {
    /// Title of the plot, such as `Sensitivity to costs`.
    pub title: String,
    /// What a cell shows, with its unit, such as `net Sharpe ratio`.
    pub measure: String,
    /// What changes from left to right, with its unit, such as `commission, bps`.
    pub x_name: String,
    /// The settings from left to right.
    pub x: Vec<String>,
    /// What changes from top to bottom, with its unit.
    pub y_name: String,
    /// The settings from top to bottom.
    pub y: Vec<String>,
    /// A row for each of `y`, in it a value for each of `x`. A missing or not finite value leaves
    /// its cell grey; values beyond the settings are not drawn.
    pub values: Vec<Vec<f64>>,
    /// The value without colour; below it cells are red, above it blue.
    pub centre: f64,
    /// Digits after the point.
    pub decimals: usize,
    /// Row and column of a cell to frame.
    pub chosen: Option<(usize, usize)>,
    /// What the framed cell is, such as `this run`.
    pub chosen_name: String,
}

/// Draws [`HeatGrid`] as an SVG document of the given width in CSS pixels, as high as its rows need.
pub fn heat_grid(plot: &HeatGrid, width: u32) -> String {
    const TOP: f64 = 92.0;
    let width = Size { width, height: 240 }.readable().width;
    let cells = texts(plot);
    let distances = cells.iter().map(|(_, _, value)| value - plot.centre);
    if cells.is_empty() {
        return no_data(Size { width, height: 240 }, &plot.title, &plot.measure);
    }
    let full = full_colour_at(distances);
    let row_height = if plot.y.len() > 12 { 27.0 } else { 36.0 };
    let size = Size { width, height: (TOP + plot.y.len() as f64 * row_height + MARGIN) as u32 };
    let summary = format!("{} over {} and {}.", plot.measure, plot.x_name, plot.y_name);
    svg(size, &plot.title, &summary, |canvas| {
        let place = settings(canvas, plot, row_height, TOP);
        let px = place.font_px(cells.iter().map(|(_, text, _)| text.as_str()));
        header(canvas, &plot.title, &measure(plot, full, px.is_some()), &[]);
        let of_row = |row| (0..plot.x.len()).map(move |column| (row, column));
        for at in (0..plot.y.len()).flat_map(of_row) {
            place.cell(canvas, at, None, px);
        }
        for (at, text, value) in &cells {
            let share = full.map_or(0.0, |full| (value - plot.centre) / full);
            place.cell(canvas, *at, Some((text, share)), px);
        }
        if let Some((row, column)) = plot.chosen
            && row < plot.y.len()
            && column < plot.x.len()
        {
            place.frame(canvas, (row, column));
        }
    })
}

/// Row and column, text and value of each cell that has one.
fn texts(plot: &HeatGrid) -> Vec<((usize, usize), String, f64)> {
    let mut texts = Vec::new();
    for (row, values) in plot.values.iter().enumerate().take(plot.y.len()) {
        for (column, value) in values.iter().enumerate().take(plot.x.len()) {
            if is_drawable(*value) {
                texts.push(((row, column), fixed(*value, plot.decimals), *value));
            }
        }
    }
    texts
}

fn measure(plot: &HeatGrid, full: Option<f64>, has_values: bool) -> String {
    let mut measure = plot.measure.clone();
    if let Some(full) = full {
        let digits = |value: f64| fixed(value, plot.decimals);
        let (low, high) = (digits(plot.centre - full), digits(plot.centre + full));
        measure += &format!(", red below {}, full colour at {low} and {high}", digits(plot.centre));
    }
    if plot.chosen.is_some() {
        measure += "; framed: ";
        measure += &plot.chosen_name;
    }
    if !has_values {
        measure += "; cells are too narrow for values";
    }
    measure
}

/// Writes the names of both settings and all their values, and says where the cells go.
fn settings(canvas: &Canvas<'_>, plot: &HeatGrid, height: f64, top: f64) -> Cells {
    let names: Vec<_> = plot.y.iter().map(|name| fit(name, TEXT_PX, 200.0)).collect();
    let widest = names.iter().map(|name| text_width(name, TEXT_PX)).fold(0.0, f64::max);
    let y_name = fit(&format!("{} ↓", plot.y_name), TEXT_PX, 240.0);
    let left = MARGIN + 8.0 + widest.max(text_width(&y_name, TEXT_PX));
    let width = (canvas.width - MARGIN - left) / plot.x.len().max(1) as f64;
    let cells = Cells { left, top, width, height };
    let x_name = fit(&format!("{} →", plot.x_name), TEXT_PX, canvas.width - MARGIN - left);
    let middle = (left + canvas.width - MARGIN) / 2.0;
    canvas.text(&x_name, (middle, top - 36.0), Anchor::Middle, MUTED);
    canvas.text(&y_name, (left - 8.0, top - 36.0), Anchor::End, MUTED);
    cells.column_names(canvas, &plot.x, top - 13.0);
    for (row, name) in names.iter().enumerate() {
        cells.row_name(canvas, row, name);
    }
    cells
}
