//! The lines above a plot: its title with the unit of its values, and the legend.

use plotters::style::{Color, RGBColor};

use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, TITLE_PX, svg};
use crate::palette::{INK, MUTED};
use crate::text_width::{bold_width, fit, text_width};

/// Distance from the edges of the paper.
pub(crate) const MARGIN: f64 = 16.0;
const ROW: f64 = 22.0;
/// More rows of legend than this end in "and N more".
const MOST_ROWS: usize = 3;

pub(crate) struct LegendItem {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    pub(crate) mark: Mark,
}

/// How the legend shows a colour.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mark {
    Line,
    /// A shaded area.
    Shade,
    Bar,
}

/// Draws both and returns the y of the first free pixel row.
pub(crate) fn header(canvas: &Canvas<'_>, title: &str, unit: &str, legend: &[LegendItem]) -> f64 {
    let room = canvas.width - 2.0 * MARGIN;
    let title = fit(title, TITLE_PX * 1.12, room);
    canvas.bold(&title, (MARGIN, 22.0), TITLE_PX, INK);
    let after = MARGIN + bold_width(&title, TITLE_PX) + 14.0;
    let mut y = 22.0;
    if after + text_width(unit, TEXT_PX) <= canvas.width - MARGIN {
        canvas.text(unit, (after, y), Anchor::Start, MUTED);
    } else {
        y += ROW;
        canvas.text(&fit(unit, TEXT_PX, room), (MARGIN, y), Anchor::Start, MUTED);
    }
    y += 2.0 + legend_rows(canvas, legend, y + ROW + 2.0);
    y + ROW - 2.0
}

/// The y of the first free pixel row under a header on paper of this width.
pub(crate) fn header_bottom(width: u32, title: &str, unit: &str, legend: &[LegendItem]) -> f64 {
    let mut bottom = 0.0;
    svg(Size { width, height: 240 }, title, unit, |canvas| {
        bottom = header(canvas, title, unit, legend);
    });
    bottom
}

/// Draws the legend from `top` on and returns its height.
fn legend_rows(canvas: &Canvas<'_>, legend: &[LegendItem], top: f64) -> f64 {
    const SWATCH: f64 = 22.0;
    const GAP: f64 = 20.0;
    let right = canvas.width - MARGIN;
    let (mut x, mut row) = (MARGIN, 0);
    for (i, item) in legend.iter().enumerate() {
        let name = fit(&item.name, TEXT_PX, right - MARGIN - SWATCH - 8.0);
        let width = SWATCH + 8.0 + text_width(&name, TEXT_PX);
        let left = legend.len() - i;
        // The last row keeps room for the note that some are left out.
        let note = format!("and {left} more");
        let note_room =
            if row + 1 == MOST_ROWS && left > 1 { text_width(&note, TEXT_PX) + GAP } else { 0.0 };
        if x > MARGIN && x + width + note_room > right {
            if row + 1 == MOST_ROWS {
                canvas.text(&note, (x, top + row as f64 * ROW), Anchor::Start, MUTED);
                break;
            }
            (x, row) = (MARGIN, row + 1);
        }
        let y = top + row as f64 * ROW;
        swatch(canvas, item, (x, y), SWATCH);
        canvas.text(&name, (x + SWATCH + 8.0, y), Anchor::Start, INK);
        x += width + GAP;
    }
    if legend.is_empty() { 0.0 } else { (row + 1) as f64 * ROW }
}

fn swatch(canvas: &Canvas<'_>, item: &LegendItem, (x, y): (f64, f64), width: f64) {
    let solid = item.colour.to_rgba();
    match item.mark {
        Mark::Line => canvas.line(&[(x, y), (x + width, y)], solid, 2.5),
        Mark::Shade => {
            canvas.rect((x, y - 6.0), (x + width, y + 6.0), item.colour.mix(SHADE_ALPHA));
        }
        Mark::Bar => canvas.rect((x + 5.0, y - 6.0), (x + 17.0, y + 6.0), solid),
    }
}

/// Opacity of a shaded area, in a plot and in its legend.
pub(crate) const SHADE_ALPHA: f64 = 0.22;
