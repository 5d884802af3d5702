use plotters::style::{Color, RGBColor};

use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::frame::{Frame, FrameSpec, frame};
use crate::header::{LegendItem, Mark};
use crate::no_data::no_data;
use crate::number_text::{Unit, compact, grouped};
use crate::palette::{BASE, BASELINES, BLUE, MUTED};
use crate::text_width::text_width;
use crate::value_axis::linear_axis;

/// What came true of probabilities, before and after they were mended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reliability {
    /// Title of the plot, such as `Reliability, tuned model`.
    pub title: String,
    /// The curves, the one that counts last.
    pub curves: Vec<ReliabilityCurve>,
}

/// One set of probabilities.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReliabilityCurve {
    /// What the legend says, such as `after the temperature 1.52`.
    pub name: String,
    /// Its bins, in order.
    pub bins: Vec<ReliabilityPoint>,
}

/// One bin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReliabilityPoint {
    /// Lower edge, 0 to 1.
    pub lower: f64,
    /// Upper edge, 0 to 1.
    pub upper: f64,
    /// Rows in it.
    pub count: u64,
    /// The mean confidence of its rows, 0 to 1; `None` for an empty bin.
    pub mean_confidence: Option<f64>,
    /// The share of them that were right, 0 to 1; `None` for an empty bin.
    pub accuracy: Option<f64>,
}

/// The strip below the plane that has the bins' counts, and its bars, in pixels.
const STRIP: f64 = 78.0;
const BARS: f64 = 44.0;
const AXIS: f64 = 46.0;

/// Draws [`Reliability`] as an SVG document: accuracy over confidence, and below it how many rows
/// each bin has. Probabilities that can be taken at their word lie on the diagonal.
pub fn reliability(plot: &Reliability, size: Size) -> String {
    const MEASURE: &str = "share of rows that were right";
    let size = size.readable();
    let size = Size { height: size.height.max(360), ..size };
    if plot.curves.iter().all(|curve| points(curve).next().is_none()) {
        return no_data(size, &plot.title, MEASURE);
    }
    let mut legend: Vec<LegendItem> = (0..plot.curves.len())
        .map(|i| LegendItem {
            name: plot.curves[i].name.clone(),
            colour: colour(plot, i),
            mark: Mark::Line,
        })
        .collect();
    legend.push(LegendItem { name: "as sure as right".to_owned(), colour: BASE, mark: Mark::Line });
    let spec = FrameSpec {
        title: &plot.title,
        measure: MEASURE,
        legend,
        unit: Unit::Percent,
        lo: 0.0,
        hi: 1.0,
        log: false,
        above: 4.0,
        below: AXIS + STRIP,
    };
    let summary = format!("{} with {} curves.", plot.title, plot.curves.len());
    svg(size, &plot.title, &summary, |canvas| {
        let plane = frame(canvas, &spec);
        let x = |share: f64| plane.left + share.clamp(0.0, 1.0) * plane.width();
        confidence_axis(canvas, &plane, x);
        canvas.line(&[(x(0.0), plane.y(0.0)), (x(1.0), plane.y(1.0))], BASE.to_rgba(), 1.4);
        for (i, curve) in plot.curves.iter().enumerate() {
            let colour = colour(plot, i);
            let pixels: Vec<_> = points(curve).map(|(c, a)| (x(c), plane.y(a))).collect();
            canvas.line(&pixels, colour.to_rgba(), 2.0);
            for point in pixels {
                mark(canvas, point, colour, i + 1 == plot.curves.len());
            }
        }
        count_strip(canvas, &plane, plot, x);
    })
}

/// Confidence and accuracy of the bins that have rows.
fn points(curve: &ReliabilityCurve) -> impl Iterator<Item = (f64, f64)> {
    let points = curve.bins.iter().filter_map(|bin| bin.mean_confidence.zip(bin.accuracy));
    points.filter(|(confidence, accuracy)| confidence.is_finite() && accuracy.is_finite())
}

/// A dot for the curve that counts, a square for others: they differ in grey too.
fn mark(canvas: &Canvas<'_>, (x, y): (f64, f64), colour: RGBColor, counts: bool) {
    if counts {
        canvas.dot((x, y), 5.0, colour.to_rgba());
    } else {
        canvas.rect((x - 4.0, y - 4.0), (x + 4.0, y + 4.0), colour.to_rgba());
    }
}

fn confidence_axis(canvas: &Canvas<'_>, plane: &Frame, x: impl Fn(f64) -> f64) {
    let bottom = plane.bottom;
    canvas.line(&[(plane.left, bottom), (plane.right, bottom)], BASE.to_rgba(), 1.2);
    let axis = linear_axis(Unit::Percent, 0.0, 1.0, if plane.width() < 500.0 { 6 } else { 11 });
    for tick in &axis.ticks {
        let at = x(tick.value);
        canvas.line(&[(at, bottom), (at, bottom + 5.0)], BASE.to_rgba(), 1.2);
        let half = text_width(&tick.label, TEXT_PX) / 2.0;
        let middle = at.min(canvas.width - 2.0 - half);
        canvas.text(&tick.label, (middle, bottom + 17.0), Anchor::Middle, MUTED);
    }
    canvas.text("confidence →", (plane.right, bottom + 37.0), Anchor::End, MUTED);
}

/// Bars of the bins' counts, those of the curves side by side.
fn count_strip(canvas: &Canvas<'_>, plane: &Frame, plot: &Reliability, x: impl Fn(f64) -> f64) {
    let bins = plot.curves.iter().flat_map(|curve| &curve.bins);
    let most = bins.map(|bin| bin.count).max().unwrap_or(0).max(1) as f64;
    let foot = plane.bottom + AXIS + STRIP - 14.0;
    canvas.text("rows in each bin", (plane.left, plane.bottom + 37.0), Anchor::Start, MUTED);
    canvas.line(&[(plane.left, foot), (plane.right, foot)], BASE.to_rgba(), 1.0);
    for (i, curve) in plot.curves.iter().enumerate() {
        for bin in curve.bins.iter().filter(|bin| bin.count > 0) {
            let (from, to) = (x(bin.lower), x(bin.upper));
            let each = (to - from) / plot.curves.len() as f64;
            let (left, right) = (from + i as f64 * each, from + (i + 1) as f64 * each);
            let gap = (each * 0.12).min(4.0);
            let top = foot - (bin.count as f64 / most * (BARS - 16.0)).max(1.0);
            let bar = colour(plot, i).mix(0.75);
            canvas.rect((left + gap, top), (right - gap, foot), bar);
            let texts = [grouped(bin.count as f64, 0), compact(bin.count as f64)];
            if let Some(text) = texts.iter().find(|text| text_width(text, 11.0) <= each) {
                canvas.centred(text, ((left + right) / 2.0, top - 8.0), 11.0, MUTED);
            }
        }
    }
}

/// The last curve is the blue one.
fn colour(plot: &Reliability, index: usize) -> RGBColor {
    if index + 1 == plot.curves.len() { BLUE } else { BASELINES[index % BASELINES.len()] }
}
