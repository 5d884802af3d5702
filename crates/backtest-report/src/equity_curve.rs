use chrono::NaiveDate;
use plotters::style::{Color, RGBColor};

use crate::canvas::{Canvas, svg};
use crate::frame::FrameSpec;
use crate::header::{LegendItem, Mark, SHADE_ALPHA};
use crate::no_data::no_data;
use crate::number_text::{Unit, compact};
use crate::palette::{MUTED, series_colour};
use crate::series::{extent, is_drawable};
use crate::time_frame::{DATE_LABELS, TimeFrame, span, time_frame};
use crate::value_axis::has_log_axis;
use crate::{Series, Size};

/// Equity of a strategy beside that of its baselines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EquityCurve {
    /// Equity at each close, in USD.
    pub strategy: Series,
    /// Equity of baselines, in USD; six can be told apart by colour.
    pub baselines: Vec<Series>,
    /// A range of equities, such as the middle 90 % of portfolios with random calls.
    pub band: Option<Band>,
    /// How equity is spaced.
    pub axis: AxisChoice,
}

/// A range of values for each session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Band {
    /// What the legend says, such as `random calls, 5–95%`.
    pub name: String,
    /// Session, low end and high end, in the unit of the plot. An end that is not finite leaves the
    /// session out.
    pub points: Vec<(NaiveDate, f64, f64)>,
}

/// How values are spaced on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AxisChoice {
    /// Logarithmic when all values are above zero and the greatest is more than 10 times the least.
    #[default]
    Auto,
    /// Equal amounts have equal distances.
    Linear,
    /// Equal ratios have equal distances. Linear all the same when a value is not above zero, or one
    /// is 1e30 times another; the measure beside the title says so.
    Log,
}

/// Draws [`EquityCurve`] as an SVG document. The measure beside the title says which axis it has, and
/// the legend has each line's last value.
pub fn equity_curve(plot: &EquityCurve, size: Size) -> String {
    const TITLE: &str = "Equity";
    let size = size.readable();
    let all = || std::iter::once(&plot.strategy).chain(&plot.baselines);
    let band = plot.band.iter().flat_map(|band| &band.points);
    let days = all().flat_map(|series| series.points.iter().map(|(day, _)| *day));
    let values = all().flat_map(|series| series.points.iter().map(|(_, value)| *value));
    let days = span(days.chain(band.clone().map(|(day, ..)| *day)));
    let values = extent(values.chain(band.flat_map(|(_, low, high)| [*low, *high])));
    let (Some(days), Some((lo, hi))) = (days, values) else {
        return no_data(size, TITLE, "USD");
    };
    let (log, measure) = match plot.axis {
        AxisChoice::Auto => (hi / lo > 10.0 && has_log_axis(lo, hi), "USD"),
        AxisChoice::Linear => (false, "USD"),
        AxisChoice::Log if has_log_axis(lo, hi) => (true, "USD"),
        AxisChoice::Log if lo > 0.0 => (false, "USD, linear axis since values are too far apart"),
        AxisChoice::Log => (false, "USD, linear axis since not all values are above zero"),
    };
    let drawn = all().enumerate().filter(|(_, series)| !series.points.is_empty());
    let mut legend: Vec<_> =
        drawn.clone().map(|(i, series)| legend_item(series, series_colour(i))).collect();
    legend.extend(plot.band.as_ref().map(|band| LegendItem {
        name: band.name.clone(),
        colour: MUTED,
        mark: Mark::Shade,
    }));
    let spec = FrameSpec {
        title: TITLE,
        measure: if log { "USD, log axis" } else { measure },
        legend,
        unit: Unit::Usd,
        lo,
        hi,
        log,
        above: 4.0,
        below: DATE_LABELS,
    };
    let summary =
        format!("Equity in USD from {} to {}: lines for {}.", days.0, days.1, names(all()));
    svg(size, TITLE, &summary, |canvas| {
        let frame = time_frame(canvas, &spec, days);
        if let Some(band) = &plot.band {
            draw_band(canvas, &frame, band);
        }
        // The strategy comes last, so that it lies on top.
        for (i, series) in drawn.collect::<Vec<_>>().into_iter().rev() {
            let width = if i == 0 { 2.2 } else { 1.5 };
            frame.draw_lines(canvas, &series.points, series_colour(i), width);
        }
    })
}

fn legend_item(series: &Series, colour: RGBColor) -> LegendItem {
    let last =
        series.points.iter().filter(|(_, value)| value.is_finite()).max_by_key(|(day, _)| *day);
    let last = last.map_or(String::new(), |(_, value)| format!(" · {}", compact(*value)));
    LegendItem { name: series.name.clone() + &last, colour, mark: Mark::Line }
}

fn names<'a>(series: impl Iterator<Item = &'a Series>) -> String {
    series.map(|series| series.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn draw_band(canvas: &Canvas<'_>, frame: &TimeFrame, band: &Band) {
    let mut points = band.points.clone();
    points.sort_by_key(|(day, ..)| *day);
    // A session without one end has neither.
    let end = |pick: fn(f64, f64) -> f64| -> Vec<(NaiveDate, f64)> {
        points
            .iter()
            .map(|(day, a, b)| {
                (*day, if is_drawable(*a) && is_drawable(*b) { pick(*a, *b) } else { f64::NAN })
            })
            .collect()
    };
    let (lows, highs) = (frame.lines(&end(f64::min)), frame.lines(&end(f64::max)));
    for (low, high) in lows.into_iter().zip(highs) {
        let outline: Vec<_> = high.into_iter().chain(low.into_iter().rev()).collect();
        canvas.area(&outline, MUTED.mix(SHADE_ALPHA));
    }
}
