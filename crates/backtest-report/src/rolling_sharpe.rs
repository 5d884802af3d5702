use crate::canvas::svg;
use crate::frame::FrameSpec;
use crate::no_data::no_data;
use crate::number_text::Unit;
use crate::palette::series_colour;
use crate::series::extent;
use crate::time_frame::{DATE_LABELS, span, time_frame};
use crate::time_lines::legend;
use crate::{Series, Size};

/// Sharpe ratios over a window that moves along.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RollingSharpe {
    /// Length of the window in sessions.
    pub window: usize,
    /// Annualized Sharpe ratio of the window that ends at each session; the strategy comes first.
    pub series: Vec<Series>,
}

/// Draws [`RollingSharpe`] as an SVG document.
pub fn rolling_sharpe(plot: &RollingSharpe, size: Size) -> String {
    const TITLE: &str = "Rolling Sharpe ratio";
    let size = size.readable();
    let measure = format!("annualized, over the last {} sessions", plot.window);
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let days = span(points().map(|(day, _)| *day));
    let (Some(days), Some((lo, hi))) = (days, extent(points().map(|(_, value)| *value))) else {
        return no_data(size, TITLE, &measure);
    };
    let spec = FrameSpec {
        title: TITLE,
        measure: &measure,
        legend: legend(plot.series.iter().map(|series| &series.name)),
        unit: Unit::Ratio,
        lo: lo.min(0.0),
        hi: hi.max(0.0),
        log: false,
        above: 4.0,
        below: DATE_LABELS,
    };
    let summary = format!("{TITLE}, {measure}, from {} to {}.", days.0, days.1);
    svg(size, TITLE, &summary, |canvas| {
        let frame = time_frame(canvas, &spec, days);
        frame.plane.level(canvas, 0.0);
        for (i, series) in plot.series.iter().enumerate().rev() {
            frame.draw_lines(
                canvas,
                &series.points,
                series_colour(i),
                if i == 0 { 2.0 } else { 1.3 },
            );
        }
    })
}
