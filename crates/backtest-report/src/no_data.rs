use crate::Size;
use crate::canvas::{Anchor, svg};
use crate::header::header;
use crate::palette::MUTED;

/// A plot that has nothing to show, and says so.
pub(crate) fn no_data(size: Size, title: &str, measure: &str) -> String {
    svg(size, title, "There is no value to draw.", |canvas| {
        let top = header(canvas, title, measure, &[]);
        let middle = (canvas.width / 2.0, (top + canvas.height) / 2.0);
        canvas.text("no value to draw", middle, Anchor::Middle, MUTED);
    })
}
