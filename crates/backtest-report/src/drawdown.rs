use chrono::NaiveDate;
use plotters::style::Color;

use crate::canvas::{Anchor, Canvas, svg};
use crate::frame::FrameSpec;
use crate::header::{LegendItem, Mark};
use crate::no_data::no_data;
use crate::number_text::{Unit, percent};
use crate::palette::{INK, SHADE, VERMILLION, series_colour};
use crate::series::extent;
use crate::strip::Strip;
use crate::time_frame::{DATE_LABELS, TimeFrame, span, time_frame};
use crate::{Series, Size};

/// How far equity lay below its highest value so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawdown {
    /// Equity over its running maximum, minus 1, at each close: a fraction from 0 downwards.
    pub strategy: Series,
    /// The same of baselines, drawn as thin lines.
    pub baselines: Vec<Series>,
    /// The worst drawdowns of the strategy, worst first; each is marked by its rank.
    pub worst: Vec<DrawdownSpan>,
}

/// One way down from a peak and up again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrawdownSpan {
    /// Day of the highest equity before the loss.
    pub peak: NaiveDate,
    /// Day of the lowest equity.
    pub trough: NaiveDate,
    /// The first day on which equity was at its peak again, if it ever was.
    pub recovery: Option<NaiveDate>,
    /// Equity at the trough over that at the peak, minus 1: a fraction below 0.
    pub depth: f64,
}

/// Draws [`Drawdown`] as an SVG document: the area under water, with its worst parts marked.
pub fn drawdown(plot: &Drawdown, size: Size) -> String {
    const TITLE: &str = "Drawdown";
    const MEASURE: &str = "below the highest equity so far";
    let size = size.readable();
    let all = || std::iter::once(&plot.strategy).chain(&plot.baselines);
    let points = || all().flat_map(|series| &series.points);
    let days = span(points().map(|(day, _)| *day));
    let (Some(days), Some((lo, hi))) = (days, extent(points().map(|(_, value)| *value))) else {
        return no_data(size, TITLE, MEASURE);
    };
    let mut legend = Vec::new();
    if !plot.baselines.is_empty() {
        legend.extend(all().enumerate().map(|(i, series)| LegendItem {
            name: series.name.clone(),
            colour: if i == 0 { VERMILLION } else { series_colour(i) },
            mark: if i == 0 { Mark::Shade } else { Mark::Line },
        }));
    }
    let spec = FrameSpec {
        title: TITLE,
        measure: MEASURE,
        legend,
        unit: Unit::Percent,
        lo: lo.min(0.0),
        hi: hi.max(0.0),
        log: false,
        above: if plot.worst.is_empty() { 4.0 } else { 26.0 },
        below: DATE_LABELS,
    };
    let summary =
        format!("Drawdown from {} to {}; the deepest is {}.", days.0, days.1, percent(lo, 1));
    svg(size, TITLE, &summary, |canvas| {
        let frame = time_frame(canvas, &spec, days);
        mark_worst(canvas, &frame, &plot.worst);
        let surface = frame.plane.y(0.0);
        for line in frame.lines(&plot.strategy.points) {
            let (Some(first), Some(last)) = (line.first(), line.last()) else { continue };
            let mut outline = vec![(first.0, surface)];
            outline.extend(&line);
            outline.push((last.0, surface));
            canvas.area(&outline, VERMILLION.mix(0.25));
        }
        for (i, series) in plot.baselines.iter().enumerate() {
            frame.draw_lines(canvas, &series.points, series_colour(i + 1), 1.2);
        }
        frame.draw_lines(canvas, &plot.strategy.points, VERMILLION, 1.5);
        frame.plane.level(canvas, 0.0);
    })
}

fn mark_worst(canvas: &Canvas<'_>, frame: &TimeFrame, worst: &[DrawdownSpan]) {
    let plane = &frame.plane;
    let mut strip = Strip::new(1, plane.left, plane.right);
    for (i, span) in worst.iter().enumerate() {
        let to = span.recovery.map_or(plane.right, |day| frame.x(day));
        canvas.rect((frame.x(span.peak), plane.top), (to, plane.bottom), SHADE.to_rgba());
        let (x, y) = (frame.x(span.trough), plane.y(span.depth));
        let label = format!("{}:  {}", i + 1, percent(span.depth, 1));
        if y.is_finite()
            && let Some(placed) = strip.place(&label, x)
        {
            canvas.text(&label, (placed.middle, plane.top - 14.0), Anchor::Middle, INK);
            canvas.line(&[(x, plane.top - 5.0), (x, plane.top)], INK.to_rgba(), 1.0);
        }
    }
}
