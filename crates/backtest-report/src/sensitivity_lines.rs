use plotters::style::Color;

use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::frame::{Frame, FrameSpec, frame};
use crate::header::MARGIN;
use crate::no_data::no_data;
use crate::number_text::Unit;
use crate::palette::{BASE, MUTED, series_colour};
use crate::series::{extent, is_drawable};
use crate::text_width::{fit, text_width};
use crate::time_lines::legend;
use crate::value_axis::linear_axis;

/// One figure over one setting, such as the net Sharpe ratio over costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SensitivityLines {
    /// Title of the plot.
    pub title: String,
    /// What the lines show, with the unit, such as `net Sharpe ratio`.
    pub measure: String,
    /// What changes from left to right, with its unit, such as `costs, bps`.
    pub x_name: String,
    /// A name, and setting and figure for each run. A figure that is not finite breaks the line.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// Draws [`SensitivityLines`] as an SVG document.
pub fn sensitivity_lines(plot: &SensitivityLines, size: Size) -> String {
    let size = size.readable();
    let points = || plot.lines.iter().flat_map(|(_, points)| points);
    let x = extent(points().map(|(x, _)| *x));
    let (Some(x), Some((lo, hi))) = (x, extent(points().map(|(_, y)| *y))) else {
        return no_data(size, &plot.title, &plot.measure);
    };
    let spec = FrameSpec {
        title: &plot.title,
        measure: &plot.measure,
        legend: legend(plot.lines.iter().map(|(name, _)| name)),
        unit: Unit::Ratio,
        lo: lo.min(0.0),
        hi: hi.max(0.0),
        log: false,
        above: 4.0,
        below: 56.0,
    };
    let summary = format!("{} over {}.", plot.measure, plot.x_name);
    svg(size, &plot.title, &summary, |canvas| {
        let plane = frame(canvas, &spec);
        plane.level(canvas, 0.0);
        let at = setting_axis(canvas, &plane, &plot.x_name, x);
        for (i, (_, points)) in plot.lines.iter().enumerate().rev() {
            let mut points = points.clone();
            points.retain(|(x, _)| is_drawable(*x));
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let pixels: Vec<_> = points.iter().map(|(x, y)| (at(*x), plane.y(*y))).collect();
            for line in pixels.split(|(_, y)| y.is_nan()) {
                canvas.line(line, series_colour(i).to_rgba(), 1.8);
                for point in line {
                    canvas.dot(*point, 3.5, series_colour(i).to_rgba());
                }
            }
        }
    })
}

/// Draws the axis of settings, and gives the pixel column of a setting.
fn setting_axis(
    canvas: &Canvas<'_>,
    plane: &Frame,
    name: &str,
    (lo, hi): (f64, f64),
) -> impl Fn(f64) -> f64 + use<> {
    let axis = linear_axis(Unit::Ratio, lo, hi, 11);
    let scale = axis.scale;
    let Frame { left, right, bottom, .. } = *plane;
    // A little room, so that the outermost dots are whole.
    let x = move |value: f64| left + 6.0 + scale.place(value) * (right - left - 12.0);
    canvas.line(&[(left, bottom), (right, bottom)], BASE.to_rgba(), 1.2);
    let mut free_from = 0.0;
    for tick in &axis.ticks {
        let at = x(tick.value);
        canvas.line(&[(at, bottom), (at, bottom + 5.0)], BASE.to_rgba(), 1.2);
        let half = text_width(&tick.label, TEXT_PX) / 2.0;
        if at - half >= free_from && at + half <= canvas.width {
            canvas.text(&tick.label, (at, bottom + 17.0), Anchor::Middle, MUTED);
            free_from = at + half + 8.0;
        }
    }
    let name = fit(&format!("{name} →"), TEXT_PX, canvas.width - 2.0 * MARGIN);
    canvas.text(&name, (right, bottom + 39.0), Anchor::End, MUTED);
    x
}
