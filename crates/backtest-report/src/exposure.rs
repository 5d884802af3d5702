use crate::canvas::svg;
use crate::frame::FrameSpec;
use crate::no_data::no_data;
use crate::number_text::Unit;
use crate::palette::series_colour;
use crate::series::extent;
use crate::time_frame::{DATE_LABELS, span, time_frame};
use crate::time_lines::legend;
use crate::{Series, Size};

/// How much of the equity is at work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposure {
    /// Long plus short holdings over equity at each close: a fraction.
    pub gross: Series,
    /// Long minus short holdings over equity at each close: a fraction.
    pub net: Series,
}

/// Draws [`Exposure`] as an SVG document.
pub fn exposure(plot: &Exposure, size: Size) -> String {
    const TITLE: &str = "Exposure";
    const MEASURE: &str = "% of equity, at the close";
    let size = size.readable();
    let series = [&plot.gross, &plot.net];
    let points = || series.into_iter().flat_map(|series| &series.points);
    let days = span(points().map(|(day, _)| *day));
    let (Some(days), Some((lo, hi))) = (days, extent(points().map(|(_, value)| *value))) else {
        return no_data(size, TITLE, MEASURE);
    };
    let spec = FrameSpec {
        title: TITLE,
        measure: MEASURE,
        legend: legend(series.into_iter().map(|series| &series.name)),
        unit: Unit::Percent,
        lo: lo.min(0.0),
        hi: hi.max(0.0),
        log: false,
        above: 4.0,
        below: DATE_LABELS,
    };
    let summary = format!("Gross and net exposure from {} to {}.", days.0, days.1);
    svg(size, TITLE, &summary, |canvas| {
        let frame = time_frame(canvas, &spec, days);
        frame.plane.level(canvas, 0.0);
        // Without short positions the two are one line: the first is wide enough to be seen below.
        for (i, (series, width)) in series.into_iter().zip([3.2, 1.4]).enumerate() {
            frame.draw_lines(canvas, &series.points, series_colour(i), width);
        }
    })
}
