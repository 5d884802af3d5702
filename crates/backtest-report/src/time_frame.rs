//! A frame whose x axis is a span of dates.

use chrono::NaiveDate;
use plotters::style::{Color, RGBColor};

use crate::canvas::{Anchor, Canvas, TEXT_PX};
use crate::date_ticks::date_ticks;
use crate::frame::{Frame, FrameSpec, frame};
use crate::palette::{BASE, MUTED};
use crate::text_width::text_width;
use crate::thin::thin;

/// Pixels that the labels of dates take under the plane.
pub(crate) const DATE_LABELS: f64 = 34.0;

pub(crate) struct TimeFrame {
    pub(crate) plane: Frame,
    first: NaiveDate,
    last: NaiveDate,
}

impl TimeFrame {
    /// The pixel column of a day.
    pub(crate) fn x(&self, day: NaiveDate) -> f64 {
        let span = (self.last - self.first).num_days();
        if span == 0 {
            return (self.plane.left + self.plane.right) / 2.0;
        }
        let share = (day - self.first).num_days() as f64 / span as f64;
        self.plane.left + share.clamp(0.0, 1.0) * self.plane.width()
    }

    /// Points as pixels: in order of date, split at gaps, and thinned to what the width can show.
    pub(crate) fn lines(&self, points: &[(NaiveDate, f64)]) -> Vec<Vec<(f64, f64)>> {
        let mut sorted: Vec<_> = points.iter().collect();
        sorted.sort_by_key(|(day, _)| *day);
        thin(sorted.into_iter().map(|(day, value)| (self.x(*day), self.plane.y(*value))))
    }

    pub(crate) fn draw_lines(
        &self,
        canvas: &Canvas<'_>,
        points: &[(NaiveDate, f64)],
        colour: RGBColor,
        px: f64,
    ) {
        for line in self.lines(points) {
            match line[..] {
                [lone] => canvas.dot(lone, px + 0.8, colour.to_rgba()),
                _ => canvas.line(&line, colour.to_rgba(), px),
            }
        }
    }
}

/// Draws the frame and the axis of dates.
pub(crate) fn time_frame(
    canvas: &Canvas<'_>,
    spec: &FrameSpec<'_>,
    (first, last): (NaiveDate, NaiveDate),
) -> TimeFrame {
    let frame = TimeFrame { plane: frame(canvas, spec), first, last };
    let Frame { left, right, bottom, .. } = frame.plane;
    canvas.line(&[(left, bottom), (right, bottom)], BASE.to_rgba(), 1.2);
    for (day, label) in date_ticks(first, last, right - left) {
        let x = frame.x(day);
        canvas.line(&[(x, bottom), (x, bottom + 5.0)], BASE.to_rgba(), 1.2);
        let half = text_width(&label, TEXT_PX) / 2.0;
        if x - half >= 2.0 && x + half <= canvas.width - 2.0 {
            canvas.text(&label, (x, bottom + 17.0), Anchor::Middle, MUTED);
        }
    }
    frame
}

/// The first and the last of some days.
pub(crate) fn span(days: impl IntoIterator<Item = NaiveDate>) -> Option<(NaiveDate, NaiveDate)> {
    days.into_iter().fold(None, |span, day| {
        let (first, last) = span.unwrap_or((day, day));
        Some((day.min(first), day.max(last)))
    })
}
