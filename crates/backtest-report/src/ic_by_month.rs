use plotters::style::Color;

use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::frame::{Frame, FrameSpec, frame};
use crate::header::{LegendItem, Mark};
use crate::no_data::no_data;
use crate::number_text::{Unit, fixed};
use crate::palette::{BASE, BLUE, INK, MUTED, VERMILLION};
use crate::series::{extent, is_drawable};
use crate::text_width::text_width;

/// Information coefficients of months.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IcByMonth {
    /// What is correlated, such as `rank correlation of calls and returns over 5 sessions`.
    pub measure: String,
    /// Month, such as `2023-04`, and coefficient, in order. One that is not finite has no bar.
    pub months: Vec<(String, f64)>,
    /// The mean of the months, for a line.
    pub mean: Option<f64>,
}

/// Draws [`IcByMonth`] as an SVG document.
pub fn ic_by_month(plot: &IcByMonth, size: Size) -> String {
    const TITLE: &str = "Information coefficient by month";
    let size = size.readable();
    let Some((lo, hi)) = extent(plot.months.iter().map(|(_, value)| *value)) else {
        return no_data(size, TITLE, &plot.measure);
    };
    let mean = plot.mean.filter(|mean| is_drawable(*mean));
    let spec = FrameSpec {
        title: TITLE,
        measure: &plot.measure,
        legend: legend(mean),
        unit: Unit::Ratio,
        lo: lo.min(0.0).min(mean.unwrap_or(0.0)),
        hi: hi.max(0.0).max(mean.unwrap_or(0.0)),
        log: false,
        above: 4.0,
        below: 34.0,
    };
    let summary = format!("Coefficients of {} months.", plot.months.len());
    svg(size, TITLE, &summary, |canvas| {
        let plane = frame(canvas, &spec);
        let slot = plane.width() / plot.months.len() as f64;
        for (i, (_, value)) in plot.months.iter().enumerate().filter(|(_, m)| is_drawable(m.1)) {
            let middle = plane.left + (i as f64 + 0.5) * slot;
            let half = (slot * 0.38).min(28.0);
            let colour = if *value < 0.0 { VERMILLION } else { BLUE };
            let ends = (plane.y(0.0), plane.y(*value));
            canvas.rect((middle - half, ends.0), (middle + half, ends.1), colour.to_rgba());
        }
        plane.level(canvas, 0.0);
        if let Some(mean) = mean {
            let y = plane.y(mean);
            canvas.line(&[(plane.left, y), (plane.right, y)], INK.to_rgba(), 1.6);
        }
        month_axis(canvas, &plane, plot, slot);
    })
}

fn legend(mean: Option<f64>) -> Vec<LegendItem> {
    let item = |name: String, colour, mark| LegendItem { name, colour, mark };
    let mut legend = vec![
        item("above zero".to_owned(), BLUE, Mark::Bar),
        item("below zero".to_owned(), VERMILLION, Mark::Bar),
    ];
    legend.extend(mean.map(|mean| item(format!("mean {}", fixed(mean, 3)), INK, Mark::Line)));
    legend
}

/// Names of months, all of them or every second, third, … so that none touch.
fn month_axis(canvas: &Canvas<'_>, plane: &Frame, plot: &IcByMonth, slot: f64) {
    let widest = plot.months.iter().map(|(name, _)| text_width(name, TEXT_PX)).fold(0.0, f64::max);
    let every = ((widest + 10.0) / slot).ceil().max(1.0) as usize;
    canvas.line(&[(plane.left, plane.bottom), (plane.right, plane.bottom)], BASE.to_rgba(), 1.0);
    for (i, (name, _)) in plot.months.iter().enumerate().step_by(every) {
        let half = text_width(name, TEXT_PX) / 2.0;
        let middle = plane.left + (i as f64 + 0.5) * slot;
        canvas.line(&[(middle, plane.bottom), (middle, plane.bottom + 5.0)], BASE.to_rgba(), 1.0);
        if middle - half >= 2.0 && middle + half <= canvas.width - 2.0 {
            canvas.text(name, (middle, plane.bottom + 17.0), Anchor::Middle, MUTED);
        }
    }
}
