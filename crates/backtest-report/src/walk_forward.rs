use chrono::NaiveDate;
use plotters::style::Color;

use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::frame::{Frame, FrameSpec, frame};
use crate::header::{LegendItem, Mark};
use crate::no_data::no_data;
use crate::number_text::{Unit, fixed};
use crate::palette::{BLUE, INK, MUTED, VERMILLION};
use crate::series::extent;
use crate::text_width::text_width;

/// How a strategy did in each fold of a walk forward.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WalkForward {
    /// Folds in order of time.
    pub folds: Vec<FoldSharpe>,
}

/// The Sharpe ratio of one fold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoldSharpe {
    /// First session of the test range.
    pub first: NaiveDate,
    /// Last session of the test range.
    pub last: NaiveDate,
    /// Annualized Sharpe ratio in the test range; NaN where it has none.
    pub out_of_sample: f64,
    /// Annualized Sharpe ratio in the range that the settings were chosen on, where there is one.
    pub in_sample: Option<f64>,
}

/// Draws [`WalkForward`] as an SVG document: a bar a fold, with its first and last month.
pub fn walk_forward(plot: &WalkForward, size: Size) -> String {
    const TITLE: &str = "Walk-forward folds";
    const MEASURE: &str = "annualized Sharpe ratio; first and last month of each test range";
    let size = size.readable();
    let values = plot.folds.iter().flat_map(|fold| [Some(fold.out_of_sample), fold.in_sample]);
    let Some((lo, hi)) = extent(values.flatten()) else {
        return no_data(size, TITLE, MEASURE);
    };
    let has_in_sample = plot.folds.iter().any(|fold| fold.in_sample.is_some());
    let spec = FrameSpec {
        title: TITLE,
        measure: MEASURE,
        legend: legend(has_in_sample),
        unit: Unit::Ratio,
        // Room for the figure at the end of a bar.
        lo: lo.min(0.0) * 1.08,
        hi: hi.max(0.0) * 1.08,
        log: false,
        above: 4.0,
        below: 56.0,
    };
    let summary = format!("Out-of-sample Sharpe ratio of {} folds.", plot.folds.len());
    svg(size, TITLE, &summary, |canvas| {
        let plane = frame(canvas, &spec);
        let step = plane.width() / plot.folds.len() as f64;
        for (i, fold) in plot.folds.iter().enumerate() {
            draw_fold(canvas, &plane, fold, (i as f64 + 0.5) * step + plane.left, step);
        }
        plane.level(canvas, 0.0);
        date_labels(canvas, &plane, &plot.folds, step);
    })
}

fn legend(has_in_sample: bool) -> Vec<LegendItem> {
    let item = |name: &str, colour, mark| LegendItem { name: name.to_owned(), colour, mark };
    let mut legend = vec![
        item("out of sample, above zero", BLUE, Mark::Bar),
        item("below zero", VERMILLION, Mark::Bar),
    ];
    if has_in_sample {
        legend.push(item("in sample", INK, Mark::Line));
    }
    legend
}

fn draw_fold(canvas: &Canvas<'_>, plane: &Frame, fold: &FoldSharpe, x: f64, step: f64) {
    let half = (step * 0.36).min(34.0);
    let (value, y, zero) = (fold.out_of_sample, plane.y(fold.out_of_sample), plane.y(0.0));
    if y.is_finite() {
        let colour = if value < 0.0 { VERMILLION } else { BLUE };
        canvas.rect((x - half, y), (x + half, zero), colour.mix(0.85));
    }
    let in_sample = fold.in_sample.map_or(f64::NAN, |value| plane.y(value));
    if in_sample.is_finite() {
        let reach = (step * 0.46).min(42.0);
        canvas.line(&[(x - reach, in_sample), (x + reach, in_sample)], INK.to_rgba(), 2.0);
    }
    let label = fixed(value, 2);
    if y.is_finite() && text_width(&label, TEXT_PX) + 4.0 <= step {
        let away = if value < 0.0 { 11.0 } else { -11.0 };
        // Beyond the line of the other range, where that would run through the figure.
        let blocked = (in_sample - (y + away)).abs() <= 9.0;
        let from = if blocked { in_sample } else { y };
        canvas.text(&label, (x, from + away), Anchor::Middle, INK);
    }
}

/// First and last month under each fold, or under every second, third, … so that none touch.
fn date_labels(canvas: &Canvas<'_>, plane: &Frame, folds: &[FoldSharpe], step: f64) {
    let half = text_width("2021-03", TEXT_PX) / 2.0;
    let every = ((2.0 * half + 6.0) / step).ceil().max(1.0) as usize;
    for (i, fold) in folds.iter().enumerate().step_by(every) {
        let x = plane.left + (i as f64 + 0.5) * step;
        if x - half >= 2.0 && x + half <= canvas.width - 2.0 {
            canvas.text(&month(fold.first), (x, plane.bottom + 17.0), Anchor::Middle, MUTED);
            canvas.text(&month(fold.last), (x, plane.bottom + 36.0), Anchor::Middle, MUTED);
        }
    }
}

fn month(day: NaiveDate) -> String {
    day.format("%Y-%m").to_string()
}
