use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use plotters::style::Color;

use crate::Size;
use crate::canvas::svg;
use crate::frame::FrameSpec;
use crate::no_data::no_data;
use crate::number_text::Unit;
use crate::palette::BLUE;
use crate::series::{extent, is_drawable};
use crate::time_frame::{DATE_LABELS, span, time_frame};

/// How much was traded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turnover {
    /// Traded value over equity for each session: a fraction from 0 upwards. Whether it counts
    /// both buys and sales is the caller's convention. What is not finite is left out.
    pub points: Vec<(NaiveDate, f64)>,
}

/// Draws [`Turnover`] as an SVG document: one bar a session, or sums over months, quarters or years,
/// whichever leaves the bars wide enough to see. The measure beside the title says which.
pub fn turnover(plot: &Turnover, size: Size) -> String {
    const TITLE: &str = "Turnover";
    let size = size.readable();
    let points: Vec<_> = plot.points.iter().filter(|(_, value)| is_drawable(*value)).collect();
    let Some((first, last)) = span(points.iter().map(|(day, _)| *day)) else {
        return no_data(size, TITLE, "% of equity");
    };
    let period = Period::for_span((last - first).num_days() + 1, size.width);
    let mut sums = BTreeMap::new();
    for (day, value) in points {
        *sums.entry(period.start(*day)).or_insert(0.0) += value;
    }
    let (lo, hi) = extent(sums.values().copied()).unwrap_or((0.0, 0.0));
    let measure = format!("% of equity per {}", period.name());
    let spec = FrameSpec {
        title: TITLE,
        measure: &measure,
        legend: Vec::new(),
        unit: Unit::Percent,
        lo: lo.min(0.0),
        hi: hi.max(0.0),
        log: false,
        above: 4.0,
        below: DATE_LABELS,
    };
    let summary = format!("{TITLE}, {measure}, from {first} to {last}.");
    svg(size, TITLE, &summary, |canvas| {
        let frame = time_frame(canvas, &spec, period.around(first, last));
        for (start, sum) in sums {
            let (from, to) = (frame.x(start), frame.x(period.end(start)));
            // A session stands upon the tick of its day, a longer period between two ticks.
            let shift = if period == Period::Session { (from - to) / 2.0 } else { 0.0 };
            // A few sessions make bars, not walls.
            let width = ((to - from) * 0.85).clamp(to - from - 4.0, to - from).min(40.0);
            let (middle, half) = ((from + to) / 2.0 + shift, width / 2.0);
            let top = frame.plane.y(sum);
            canvas.rect((middle - half, top), (middle + half, frame.plane.y(0.0)), BLUE.to_rgba());
        }
        frame.plane.level(canvas, 0.0);
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Period {
    Session,
    Month,
    Quarter,
    Year,
}

impl Period {
    /// The shortest period whose bars are at least six pixels wide.
    fn for_span(days: i64, width: u32) -> Self {
        let most_bars = i64::from(width) / 6;
        let periods = [(Self::Session, 1), (Self::Month, 30), (Self::Quarter, 91)];
        let fits = |(_, length): &(Self, i64)| days / length <= most_bars;
        periods.into_iter().find(fits).map_or(Self::Year, |(period, _)| period)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The days that the axis shows: whole periods, and room for half a bar at the ends of sessions.
    fn around(self, first: NaiveDate, last: NaiveDate) -> (NaiveDate, NaiveDate) {
        match self {
            Self::Session => (first.pred_opt().unwrap_or(first), self.end(last)),
            _ => (self.start(first), self.end(last)),
        }
    }

    fn start(self, day: NaiveDate) -> NaiveDate {
        let month = match self {
            Self::Session => return day,
            Self::Month => day.month(),
            Self::Quarter => day.month0() / 3 * 3 + 1,
            Self::Year => 1,
        };
        NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day)
    }

    /// The first day after the period of `day`.
    fn end(self, day: NaiveDate) -> NaiveDate {
        let start = self.start(day);
        let months = match self {
            Self::Session => return day.succ_opt().unwrap_or(day),
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        };
        start.checked_add_months(chrono::Months::new(months)).unwrap_or(NaiveDate::MAX)
    }
}
