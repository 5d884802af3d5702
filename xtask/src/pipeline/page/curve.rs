use std::fmt::Write;

use super::super::results::Training;

/// The curve of training as a drawing of `width` by `height`; `None` for fewer than two steps.
pub(super) fn curve(training: &Training, width: f64, height: f64) -> Option<String> {
    let frame = Frame::around(training, width, height)?;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"loss by step\">\n"
    );
    for tick in ticks(frame.low, frame.high, 5) {
        let y = frame.y(tick);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT,
            width - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            label(tick)
        );
    }
    for tick in ticks(frame.first, frame.last, if width < 500.0 { 4 } else { 8 }) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            frame.x(tick),
            height - BOTTOM + 18.0,
            label(tick)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">step</text>",
        width - RIGHT,
        height - 4.0
    );
    let points = |points: &[(f64, f64)]| {
        let point =
            |&(step, loss): &(f64, f64)| format!("{:.1},{:.1}", frame.x(step), frame.y(loss));
        points.iter().map(point).collect::<Vec<_>>().join(" ")
    };
    let _ = writeln!(svg, "<polyline class=\"train\" points=\"{}\"/>", points(&training.losses));
    if training.validation_losses.len() > 1 {
        let points = points(&training.validation_losses);
        let _ = writeln!(svg, "<polyline class=\"validation\" points=\"{points}\"/>");
    }
    for (step, loss) in &training.validation_losses {
        let (x, y) = (frame.x(*step), frame.y(*loss));
        let _ =
            writeln!(svg, "<circle class=\"validation\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>");
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;

/// Where steps and losses lie in the drawing.
struct Frame {
    first: f64,
    last: f64,
    low: f64,
    high: f64,
    width: f64,
    height: f64,
}

impl Frame {
    fn around(training: &Training, width: f64, height: f64) -> Option<Self> {
        let all = || training.losses.iter().chain(&training.validation_losses);
        let first = all().map(|point| point.0).reduce(f64::min)?;
        let last = all().map(|point| point.0).reduce(f64::max)?;
        let high = all().map(|point| point.1).reduce(f64::max)?;
        let low = all().map(|point| point.1).reduce(f64::min)?;
        // A loss is never below 0, and half of the way down to there is worth showing.
        let low = if low < 0.5 * high { 0.0 } else { low };
        let span = high - low;
        (first < last && span.is_finite() && span > 0.0).then_some(Self {
            first,
            last,
            low,
            high,
            width,
            height,
        })
    }

    fn x(&self, step: f64) -> f64 {
        LEFT + (step - self.first) / (self.last - self.first) * (self.width - LEFT - RIGHT)
    }

    fn y(&self, loss: f64) -> f64 {
        TOP + (self.high - loss) / (self.high - self.low) * (self.height - TOP - BOTTOM)
    }
}

/// About `count` round numbers from `low` to `high`.
fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = (high - low) / count as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough);
    let Some(step) = step else { return Vec::new() };
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

fn label(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(1.0, 97.0, 4), [50.0]);
        let labels = |low, high| ticks(low, high, 5).into_iter().map(label).collect::<Vec<_>>();
        assert_eq!(labels(6.2, 6.413), ["6.2", "6.25", "6.3", "6.35", "6.4"]);
    }

    #[test]
    fn a_curve_lies_inside_of_its_frame() {
        let training = Training {
            losses: vec![(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)],
            validation_losses: vec![(2.0, 2.5), (3.0, 1.5)],
            ..Training::default()
        };
        let svg = curve(&training, 400.0, 200.0).unwrap();
        // Loss from 0, since the lowest is below half of the highest: 148 high, 336 wide.
        assert!(svg.contains("points=\"52.0,12.0 220.0,61.3 388.0,110.7\""), "{svg}");
        assert!(svg.contains("cx=\"388.0\" cy=\"86.0\""), "{svg}");
        let single = Training { losses: vec![(1.0, 3.0)], ..Training::default() };
        assert_eq!(curve(&single, 400.0, 200.0), None);
        let flat = Training { losses: vec![(1.0, 3.0), (2.0, 3.0)], ..Training::default() };
        assert_eq!(curve(&flat, 400.0, 200.0), None);
    }
}
