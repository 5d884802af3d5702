//! The room in which values are drawn, and the axis of values at its left.

use plotters::style::Color;

use crate::canvas::{Anchor, Canvas, TEXT_PX};
use crate::header::{LegendItem, MARGIN, header};
use crate::number_text::Unit;
use crate::palette::{BASE, GRID, MUTED};
use crate::text_width::text_width;
use crate::value_axis::{ValueAxis, linear_axis, log_axis};

/// What a plot says about itself, and the values it must hold.
pub(crate) struct FrameSpec<'a> {
    pub(crate) title: &'a str,
    /// What the values are, in words: "USD, log axis".
    pub(crate) measure: &'a str,
    pub(crate) legend: Vec<LegendItem>,
    pub(crate) unit: Unit,
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    pub(crate) log: bool,
    /// Free pixels between the legend and the plane, for labels of marks.
    pub(crate) above: f64,
    /// Pixels under the plane, for labels of the x axis.
    pub(crate) below: f64,
}

/// The plane in which values are drawn, in pixels.
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
    axis: ValueAxis,
}

impl Frame {
    /// The pixel row of a value; NaN for what the axis cannot show.
    pub(crate) fn y(&self, value: f64) -> f64 {
        self.bottom - self.axis.scale.place(value) * (self.bottom - self.top)
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// A line across the plane at `value`, where the axis has it.
    pub(crate) fn level(&self, canvas: &Canvas<'_>, value: f64) {
        let y = self.y(value);
        if y.is_finite() {
            canvas.line(&[(self.left, y), (self.right, y)], BASE.to_rgba(), 1.2);
        }
    }
}

/// Draws the header and the axis of values with its grid.
pub(crate) fn frame(canvas: &Canvas<'_>, spec: &FrameSpec<'_>) -> Frame {
    let top = header(canvas, spec.title, spec.measure, &spec.legend) + spec.above;
    let bottom = (canvas.height - spec.below).max(top + 60.0);
    let max_ticks = ((bottom - top) / 30.0) as usize + 1;
    let axis = if spec.log {
        log_axis(spec.unit, spec.lo, spec.hi, max_ticks)
    } else {
        linear_axis(spec.unit, spec.lo, spec.hi, max_ticks)
    };
    let labels = axis.ticks.iter().map(|tick| text_width(&tick.label, TEXT_PX));
    let left = MARGIN + labels.fold(0.0, f64::max) + 8.0;
    let frame = Frame { left, top, right: canvas.width - MARGIN - 6.0, bottom, axis };
    for tick in &frame.axis.ticks {
        let y = frame.y(tick.value);
        canvas.line(&[(left, y), (frame.right, y)], GRID.to_rgba(), 1.0);
        canvas.text(&tick.label, (left - 8.0, y), Anchor::End, MUTED);
    }
    frame
}
