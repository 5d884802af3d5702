use plotters::style::{Color, RGBColor};

use crate::Size;
use crate::canvas::{Anchor, Canvas, TEXT_PX, svg};
use crate::header::{LegendItem, MARGIN, Mark, header, header_bottom};
use crate::no_data::no_data;
use crate::number_text::{counted, percent};
use crate::palette::{BLUE, INK, MUTED, PAPER, series_colour};
use crate::text_width::{fit, text_width};

/// How answers came out, model by model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcomes {
    /// Title of the plot, such as `How answers kept the tags`.
    pub title: String,
    /// A name, and a name and a number for each outcome, best first.
    pub models: Vec<(String, Vec<(String, u64)>)>,
}

/// Draws [`Outcomes`] as an SVG document of the given width in CSS pixels: a bar a model, in it a
/// piece an outcome, by its share of the model's answers. Outcomes without an answer are left out.
pub fn outcomes(plot: &Outcomes, width: u32) -> String {
    const MEASURE: &str = "share of answers";
    const BAR: f64 = 44.0;
    const GAP: f64 = 14.0;
    let width = Size { width, height: 240 }.readable().width;
    let names = names(plot);
    if names.is_empty() {
        return no_data(Size { width, height: 240 }, &plot.title, MEASURE);
    }
    let legend: Vec<LegendItem> = names
        .iter()
        .enumerate()
        .map(|(i, name)| LegendItem {
            name: (*name).to_owned(),
            colour: series_colour(i),
            mark: Mark::Bar,
        })
        .collect();
    let top = header_bottom(width, &plot.title, MEASURE, &legend) + 6.0;
    let height = top + plot.models.len() as f64 * (BAR + GAP) + MARGIN;
    let size = Size { width, height: height as u32 };
    let summary = format!("{} of {} models.", plot.title, plot.models.len());
    svg(size, &plot.title, &summary, |canvas| {
        header(canvas, &plot.title, MEASURE, &legend);
        let widest =
            plot.models.iter().map(|(name, _)| text_width(name, TEXT_PX)).fold(0.0, f64::max);
        let left = MARGIN + widest.min(180.0).max(text_width("1,000,000 answers", TEXT_PX)) + 8.0;
        for (row, (name, counts)) in plot.models.iter().enumerate() {
            let top = top + row as f64 * (BAR + GAP);
            let middle = top + BAR / 2.0;
            let all = counts.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
            canvas.text(
                &fit(name, TEXT_PX, left - MARGIN - 8.0),
                (MARGIN, middle - 9.0),
                Anchor::Start,
                INK,
            );
            let answers = counted(all, "answer");
            canvas.text(&answers, (MARGIN, middle + 10.0), Anchor::Start, MUTED);
            draw_bar(canvas, counts, &names, (left, top), (canvas.width - MARGIN, top + BAR));
        }
    })
}

fn draw_bar(
    canvas: &Canvas<'_>,
    counts: &[(String, u64)],
    names: &[&str],
    from: (f64, f64),
    to: (f64, f64),
) {
    let all: f64 = counts.iter().map(|(_, count)| *count as f64).sum();
    let mut x = from.0;
    for (name, count) in counts.iter().filter(|(_, count)| *count > 0) {
        let share = *count as f64 / all;
        let right = x + share * (to.0 - from.0);
        let colour = series_colour(names.iter().position(|other| other == name).unwrap_or(0));
        let gap = ((right - x) * 0.1).min(0.75);
        canvas.rect((x + gap, from.1), (right - gap, to.1), colour.to_rgba());
        let number = percent(share, 1);
        let both = format!("{name} {number}");
        let fits = |text: &String| text_width(text, TEXT_PX) + 8.0 <= right - x;
        if let Some(text) = [both, number].iter().find(|text| fits(text)) {
            let middle = ((x + right) / 2.0, (from.1 + to.1) / 2.0);
            canvas.centred(text, middle, TEXT_PX, text_on(colour));
        }
        x = right;
    }
}

/// Names of outcomes that have an answer, in their order.
fn names(plot: &Outcomes) -> Vec<&str> {
    let mut all: Vec<(usize, &str)> = Vec::new();
    for (_, counts) in &plot.models {
        for (place, (name, count)) in counts.iter().enumerate() {
            if *count > 0 && !all.iter().any(|(_, other)| other == name) {
                all.push((place, name));
            }
        }
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, name)| name).collect()
}

/// Black upon all colours but the darkest, in both schemes.
fn text_on(colour: RGBColor) -> RGBColor {
    if colour == BLUE { PAPER } else { RGBColor(0, 0, 0) }
}
