use plotters::style::Color;

use crate::Size;
use crate::bins::{Bins, bins};
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::frame::{Frame, FrameSpec, frame};
use crate::header::{LegendItem, Mark};
use crate::no_data::no_data;
use crate::number_text::{Unit, counted, percent};
use crate::palette::{BASE, BLUE, INK, MUTED, VERMILLION};
use crate::series::{extent, is_drawable};
use crate::text_width::{fit, text_width};

/// What the calls of each action returned over one window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReturnsByAction {
    /// The window, such as `5 sessions`.
    pub window: String,
    /// The actions, from left to right.
    pub actions: Vec<ActionReturns>,
}

/// What the calls of one action returned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ActionReturns {
    /// The action.
    pub name: String,
    /// Simple returns as fractions; what is not finite is left out.
    pub returns: Vec<f64>,
    /// The interval of their mean.
    pub interval: Option<(f64, f64)>,
}

/// With at least this many returns the outermost may lie beyond the axis.
const MANY: usize = 200;
/// The share of returns at each end that may.
const BEYOND: f64 = 0.005;

/// Draws [`ReturnsByAction`] as an SVG document: a histogram on its side for each action, with the
/// same bars and its own width, with the mean and its interval.
pub fn returns_by_action(plot: &ReturnsByAction, size: Size) -> String {
    let size = size.readable();
    let title = format!("Returns after {} by action", plot.window);
    let drawable = || plot.actions.iter().flat_map(|action| &action.returns).copied();
    let mut sorted: Vec<f64> = drawable().filter(|value| is_drawable(*value)).collect();
    sorted.sort_by(f64::total_cmp);
    let Some((lo, hi)) = ends(&sorted) else {
        return no_data(size, &title, "returns of calls");
    };
    let clamped: Vec<f64> = sorted.iter().map(|value| value.clamp(lo, hi)).collect();
    let Some(bins) = bins(&clamped) else { return no_data(size, &title, "returns of calls") };
    let beyond = sorted.iter().filter(|value| **value < lo || **value > hi).count();
    let mut measure =
        "simple returns; the fullest bars of all actions have the same width".to_owned();
    if beyond > 0 {
        measure += &format!("; {beyond} beyond the axis are in the outermost bars");
    }
    let marks = plot.actions.iter().flat_map(|a| a.interval.iter().flat_map(|i| [i.0, i.1]));
    let edges = [bins.edge(0), bins.edge(bins.counts.len()), 0.0];
    let (lo, hi) = extent(edges.into_iter().chain(marks)).unwrap_or((lo, hi));
    let item = |name: &str, colour, mark| LegendItem { name: name.to_owned(), colour, mark };
    let spec = FrameSpec {
        title: &title,
        measure: &measure,
        legend: vec![
            item("losses", VERMILLION, Mark::Bar),
            item("gains", BLUE, Mark::Bar),
            item("mean with its interval", INK, Mark::Line),
        ],
        unit: Unit::Percent,
        lo,
        hi,
        log: false,
        above: 26.0,
        below: 52.0,
    };
    let summary = format!("{} returns of {} actions.", sorted.len(), plot.actions.len());
    svg(size, &title, &summary, |canvas| {
        let plane = frame(canvas, &spec);
        plane.level(canvas, 0.0);
        let slot = plane.width() / plot.actions.len() as f64;
        let counted: Vec<Vec<usize>> =
            plot.actions.iter().map(|action| counts(&action.returns, &bins)).collect();
        for (i, (action, counts)) in plot.actions.iter().zip(&counted).enumerate() {
            let middle = plane.left + (i as f64 + 0.5) * slot;
            let fullest = counts.iter().copied().max().unwrap_or(0) as f64;
            for (bar, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let half = *count as f64 / fullest * slot * 0.42;
                let (low, high) = (plane.y(bins.edge(bar)), plane.y(bins.edge(bar + 1)));
                let is_loss = bins.edge(bar + 1) <= bins.width * 0.5;
                let colour = if is_loss { VERMILLION } else { BLUE };
                let gap = ((low - high) * 0.06).min(1.0);
                let (from, to) = ((middle - half, low - gap), (middle + half, high + gap));
                canvas.rect(from, to, colour.mix(0.6));
            }
            column(canvas, &plane, action, (middle, slot));
        }
    })
}

/// The action's name and count, its mean and the mean's interval.
fn column(canvas: &Canvas<'_>, plane: &Frame, action: &ActionReturns, (x, slot): (f64, f64)) {
    let known: Vec<f64> = action.returns.iter().copied().filter(|r| is_drawable(*r)).collect();
    let bottom = plane.bottom;
    canvas.line(&[(x - slot / 2.0, bottom), (x + slot / 2.0, bottom)], BASE.to_rgba(), 1.0);
    let name = fit(&action.name, TEXT_PX, slot - 6.0);
    canvas.text(&name, (x, bottom + 16.0), Anchor::Middle, INK);
    let calls = fit(&counted(known.len() as u64, "call"), TEXT_PX, slot - 6.0);
    canvas.text(&calls, (x, bottom + 35.0), Anchor::Middle, MUTED);
    if known.is_empty() {
        return;
    }
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let y = plane.y(mean);
    if !y.is_finite() {
        return;
    }
    canvas.line(&[(x - slot * 0.3, y), (x + slot * 0.3, y)], INK.to_rgba(), 2.5);
    if let Some((lower, upper)) = action.interval {
        let (low, high) = (plane.y(lower), plane.y(upper));
        if low.is_finite() && high.is_finite() {
            canvas.line(&[(x, low), (x, high)], INK.to_rgba(), 1.6);
            for end in [low, high] {
                canvas.line(&[(x - 6.0, end), (x + 6.0, end)], INK.to_rgba(), 1.6);
            }
        }
    }
    let texts = [format!("mean {}", percent(mean, 2)), percent(mean, 2)];
    if let Some(text) = texts.iter().find(|text| text_width(text, TEXT_PX) <= slot - 4.0) {
        canvas.text(text, (x, plane.top - 14.0), Anchor::Middle, INK);
    }
}

/// The least and the greatest return that the axis must hold.
fn ends(sorted: &[f64]) -> Option<(f64, f64)> {
    let skip = if sorted.len() < MANY { 0 } else { (sorted.len() as f64 * BEYOND) as usize };
    Some((*sorted.get(skip)?, *sorted.get(sorted.len() - 1 - skip)?))
}

/// How many returns lie in each bar, those beyond in the outermost.
fn counts(returns: &[f64], bins: &Bins) -> Vec<usize> {
    let mut counts = vec![0; bins.counts.len()];
    for value in returns.iter().filter(|value| is_drawable(**value)) {
        let place = ((value - bins.edge(0)) / bins.width + 1e-9).floor().max(0.0) as usize;
        counts[place.min(bins.counts.len() - 1)] += 1;
    }
    counts
}
