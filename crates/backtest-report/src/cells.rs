//! A grid of coloured cells with a value in each.

use plotters::style::Color;

use crate::canvas::{Anchor, Canvas, TEXT_PX};
use crate::diverging::{DARK_TEXT, diverging};
use crate::palette::{MUTED, SHADE};
use crate::text_width::{fit, text_width};

/// Where the cells lie, in pixels.
#[derive(Clone, Copy)]
pub(crate) struct Cells {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Cells {
    /// Opposite corners of a cell, with a hair of paper around it.
    pub(crate) fn corners(&self, row: usize, column: usize) -> ((f64, f64), (f64, f64)) {
        let (x, y) = (self.left + column as f64 * self.width, self.top + row as f64 * self.height);
        ((x + 0.5, y + 0.5), (x + self.width - 0.5, y + self.height - 0.5))
    }

    /// Draws a value at `share` of the full colour, in a font of `px` pixels if any; grey without a
    /// value.
    pub(crate) fn cell(
        &self,
        canvas: &Canvas<'_>,
        (row, column): (usize, usize),
        value: Option<(&str, f64)>,
        px: Option<f64>,
    ) {
        let (from, to) = self.corners(row, column);
        let Some((text, share)) = value else {
            canvas.rect(from, to, SHADE.to_rgba());
            return;
        };
        let colours = diverging(share);
        canvas.rect(from, to, colours.cell.to_rgba());
        if let Some(px) = px {
            let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
            canvas.centred(text, middle, px, colours.text);
        }
    }

    /// Frames a cell, in a colour that stays the same in both schemes, as that of cells does.
    pub(crate) fn frame(&self, canvas: &Canvas<'_>, (row, column): (usize, usize)) {
        let (from, to) = self.corners(row, column);
        let inner = ((from.0 + 1.0, from.1 + 1.0), (to.0 - 1.0, to.1 - 1.0));
        canvas.outline(inner.0, inner.1, DARK_TEXT.to_rgba(), 2.0);
    }

    /// The greatest font size at which every text fits into a cell. `None` when one does not fit at
    /// 11 pixels: values in some cells only would look like a choice.
    pub(crate) fn font_px<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Option<f64> {
        let widest = texts.map(|text| text_width(text, 1.0)).fold(0.0, f64::max);
        [TEXT_PX, 12.0, 11.0].into_iter().find(|px| widest * px <= self.width - 3.0)
    }

    /// Writes the names of columns, all of them or every second, third, … so that none touch. Their
    /// middle line is at `y`.
    pub(crate) fn column_names(&self, canvas: &Canvas<'_>, names: &[String], y: f64) {
        let most = self.width.max(120.0) - 8.0;
        let names: Vec<_> = names.iter().map(|name| fit(name, TEXT_PX, most)).collect();
        let widest = names.iter().map(|name| text_width(name, TEXT_PX)).fold(0.0, f64::max);
        let every = ((widest + 8.0) / self.width).ceil().max(1.0) as usize;
        for (column, name) in names.iter().enumerate().step_by(every) {
            let half = text_width(name, TEXT_PX) / 2.0;
            let middle = self.left + (column as f64 + 0.5) * self.width;
            if middle - half >= 2.0 && middle + half <= canvas.width - 2.0 {
                canvas.text(name, (middle, y), Anchor::Middle, MUTED);
            }
        }
    }

    /// Writes the name of a row at the left of its cells.
    pub(crate) fn row_name(&self, canvas: &Canvas<'_>, row: usize, name: &str) {
        let y = self.top + (row as f64 + 0.5) * self.height;
        canvas.text(name, (self.left - 8.0, y), Anchor::End, MUTED);
    }
}
