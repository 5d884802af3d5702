use std::f64::consts::TAU;

use plotters::style::Color;

use crate::Size;
use crate::bins::{Bins, bins};
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::frame::{Frame, FrameSpec, frame};
use crate::header::{LegendItem, Mark};
use crate::no_data::no_data;
use crate::number_text::{Unit, percent};
use crate::palette::{BASE, BASELINES, BLUE, INK, MUTED, VERMILLION};
use crate::scale::Scale;
use crate::series::extent;
use crate::strip::Strip;
use crate::text_width::text_width;
use crate::time_frame::DATE_LABELS;
use crate::value_axis::linear_axis;

/// Rows for the labels of marks, and the height of one in pixels.
const LABEL_ROWS: usize = 2;
const LABEL_ROW: f64 = 20.0;

/// How often returns of each size came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReturnHistogram {
    /// What one return is over, such as `session`; an `s` makes it many.
    pub period: String,
    /// Simple returns as fractions; what is not finite is left out.
    pub returns: Vec<f64>,
    /// Whether to lay the normal curve with the same mean and standard deviation over the bars.
    pub normal_curve: bool,
    /// Returns to mark by a line.
    pub marks: Vec<ReturnMark>,
}

/// A return to mark, such as the value at risk.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnMark {
    /// What it is, such as `VaR 95%`; the return itself is written after it.
    pub name: String,
    /// The return where the line stands, as a fraction: a value at risk of 2 % is -0.02.
    pub value: f64,
}

/// Draws [`ReturnHistogram`] as an SVG document. The width of the bars follows Freedman and
/// Diaconis (1981), rounded to 1, 2 or 5 times a power of ten.
pub fn return_histogram(plot: &ReturnHistogram, size: Size) -> String {
    const TITLE: &str = "Distribution of returns";
    let size = size.readable();
    let measure = format!("number of {}s", plot.period);
    let Some(bins) = bins(&plot.returns) else {
        return no_data(size, TITLE, &measure);
    };
    let width = Unit::Percent.tick(bins.width, bins.width, bins.width);
    let measure = format!("{measure} with a return in each {width}");
    let normal = if plot.normal_curve { Normal::of(&plot.returns, &bins) } else { None };
    let most = bins.counts.iter().copied().max().unwrap_or(0) as f64;
    let spec = FrameSpec {
        title: TITLE,
        measure: &measure,
        legend: legend(normal.is_some()),
        unit: Unit::Count,
        lo: 0.0,
        hi: most.max(normal.as_ref().map_or(0.0, |normal| normal.top())),
        log: false,
        above: if plot.marks.is_empty() {
            4.0
        } else {
            6.0 + LABEL_ROW * LABEL_ROWS.min(plot.marks.len()) as f64
        },
        below: DATE_LABELS,
    };
    let summary = format!("Histogram of {} returns.", bins.counts.iter().sum::<usize>());
    svg(size, TITLE, &summary, |canvas| {
        let plane = frame(canvas, &spec);
        let x = return_axis(canvas, &plane, &bins, &plot.marks);
        for (i, count) in bins.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (from, to) = (x(bins.edge(i)), x(bins.edge(i + 1)));
            let gap = ((to - from) * 0.06).min(1.0);
            let colour = if bins.edge(i + 1) <= bins.width * 0.5 { VERMILLION } else { BLUE };
            let top = plane.y(*count as f64);
            canvas.rect((from + gap, top), (to - gap, plane.bottom), colour.mix(0.75));
        }
        if let Some(normal) = &normal {
            let steps = (0..=200).map(|i| {
                let value = bins.edge(0)
                    + (bins.edge(bins.counts.len()) - bins.edge(0)) * f64::from(i) / 200.0;
                (x(value), plane.y(normal.count(value)))
            });
            canvas.line(&steps.collect::<Vec<_>>(), BASELINES[0].to_rgba(), 2.0);
        }
        canvas.line(
            &[(plane.left, plane.bottom), (plane.right, plane.bottom)],
            BASE.to_rgba(),
            1.2,
        );
        draw_marks(canvas, &plane, &plot.marks, x);
    })
}

/// Lines at the marked returns, each up to its label.
fn draw_marks(canvas: &Canvas<'_>, plane: &Frame, marks: &[ReturnMark], x: impl Fn(f64) -> f64) {
    let mut strip = Strip::new(LABEL_ROWS, plane.left, plane.right);
    for mark in marks.iter().filter(|mark| mark.value.is_finite()) {
        let at = x(mark.value);
        let label = format!("{} {}", mark.name, percent(mark.value, 2));
        let row = match strip.place(&label, at) {
            Some(placed) => {
                let y = plane.top - 14.0 - LABEL_ROW * placed.row as f64;
                canvas.text(&label, (placed.middle, y), Anchor::Middle, INK);
                placed.row
            }
            None => 0,
        };
        let top = plane.top - 4.0 - LABEL_ROW * row as f64;
        canvas.line(&[(at, top), (at, plane.bottom)], INK.to_rgba(), 1.2);
    }
}

fn legend(normal: bool) -> Vec<LegendItem> {
    let item = |name: String, colour, mark| LegendItem { name, colour, mark };
    let mut legend = vec![
        item("losses".to_owned(), VERMILLION, Mark::Bar),
        item("gains".to_owned(), BLUE, Mark::Bar),
    ];
    if normal {
        let name = "normal curve of the same mean and deviation".to_owned();
        legend.push(item(name, BASELINES[0], Mark::Line));
    }
    legend
}

/// Draws the axis of returns under the plane, and gives the pixel column of a return.
fn return_axis(
    canvas: &Canvas<'_>,
    plane: &Frame,
    bins: &Bins,
    marks: &[ReturnMark],
) -> impl Fn(f64) -> f64 + use<> {
    let ends = [bins.edge(0), bins.edge(bins.counts.len())];
    let marked = marks.iter().map(|mark| mark.value);
    let (lo, hi) = extent(ends.into_iter().chain(marked)).unwrap_or((0.0, 1.0));
    let axis = linear_axis(Unit::Percent, lo, hi, 12);
    let scale = Scale::Linear { lo, hi };
    let (left, width) = (plane.left, plane.width());
    let x = move |value: f64| left + scale.place(value) * width;
    let mut free_from = 0.0;
    for tick in axis.ticks.iter().filter(|tick| (lo..=hi).contains(&tick.value)) {
        let at = x(tick.value);
        canvas.line(&[(at, plane.bottom), (at, plane.bottom + 5.0)], BASE.to_rgba(), 1.2);
        let half = text_width(&tick.label, TEXT_PX) / 2.0;
        if at - half >= free_from && at + half <= canvas.width - 2.0 {
            canvas.text(&tick.label, (at, plane.bottom + 17.0), Anchor::Middle, MUTED);
            free_from = at + half + 10.0;
        }
    }
    x
}

/// The normal curve, scaled to the area of the bars.
struct Normal {
    mean: f64,
    deviation: f64,
    area: f64,
}

impl Normal {
    fn of(returns: &[f64], bins: &Bins) -> Option<Self> {
        let finite: Vec<f64> = returns.iter().copied().filter(|value| value.is_finite()).collect();
        let count = finite.len() as f64;
        let mean = finite.iter().sum::<f64>() / count;
        let squares = finite.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (count - 1.0)).sqrt();
        // Much narrower than a bar it would be a spike that dwarfs them.
        let wide = deviation.is_finite() && deviation > bins.width * 0.2;
        wide.then_some(Self { mean, deviation, area: count * bins.width })
    }

    fn count(&self, value: f64) -> f64 {
        let z = (value - self.mean) / self.deviation;
        self.area * (-0.5 * z * z).exp() / (self.deviation * TAU.sqrt())
    }

    fn top(&self) -> f64 {
        self.count(self.mean)
    }
}
