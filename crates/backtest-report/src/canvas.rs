//! Paper to draw on, in CSS pixels.
//!
//! The SVG backend of plotters knows whole numbers only, which would make steps of smooth lines.
//! So it draws on paper ten times as large, which the finished document scales back.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Size;
use crate::palette::PAPER;
use crate::svg_document::svg_document;
use crate::text::plain_line;

/// Units of the backend in a CSS pixel.
pub(crate) const UNITS_PER_PX: f64 = 10.0;
/// Font size of a title, in pixels.
pub(crate) const TITLE_PX: f64 = 16.0;
/// Font size of all other text, in pixels: 11 are left where a page shows a plot at 82 %.
pub(crate) const TEXT_PX: f64 = 13.5;

/// What the x of a text means.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// The SVG document that `draw` fills; `name` and `summary` are for readers who cannot see it.
pub(crate) fn svg(size: Size, name: &str, summary: &str, draw: impl FnOnce(&Canvas<'_>)) -> String {
    let mut drawn = String::new();
    let units = |px: u32| px * UNITS_PER_PX as u32;
    let backend = SVGBackend::with_string(&mut drawn, (units(size.width), units(size.height)));
    let area = backend.into_drawing_area();
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let canvas = Canvas { area, width, height };
    canvas.rect((0.0, 0.0), (width, height), PAPER.to_rgba());
    draw(&canvas);
    // Writing into a `String` cannot fail, here and below.
    canvas.area.present().ok();
    drop(canvas);
    svg_document(&drawn, size, name, summary)
}

impl Canvas<'_> {
    pub(crate) fn line(&self, points: &[(f64, f64)], colour: RGBAColor, px: f64) {
        let path = points.iter().map(|&point| units(point)).collect::<Vec<_>>();
        self.area.draw(&PathElement::new(path, colour.stroke_width(stroke(px)))).ok();
    }

    pub(crate) fn area(&self, points: &[(f64, f64)], colour: RGBAColor) {
        let path = points.iter().map(|&point| units(point)).collect::<Vec<_>>();
        self.area.draw(&Polygon::new(path, colour.filled())).ok();
    }

    pub(crate) fn rect(&self, from: (f64, f64), to: (f64, f64), colour: RGBAColor) {
        let corner = |pick: fn(f64, f64) -> f64| units((pick(from.0, to.0), pick(from.1, to.1)));
        self.area.draw(&Rectangle::new([corner(f64::min), corner(f64::max)], colour.filled())).ok();
    }

    pub(crate) fn outline(&self, from: (f64, f64), to: (f64, f64), colour: RGBAColor, px: f64) {
        self.line(&[from, (to.0, from.1), to, (from.0, to.1), from, (to.0, from.1)], colour, px);
    }

    pub(crate) fn dot(&self, centre: (f64, f64), radius: f64, colour: RGBAColor) {
        self.area.draw(&Circle::new(units(centre), stroke(radius), colour.filled())).ok();
    }

    /// `at.1` is the middle of the line.
    pub(crate) fn text(&self, text: &str, at: (f64, f64), anchor: Anchor, colour: RGBColor) {
        self.write(text, at, anchor, (TEXT_PX, FontStyle::Normal), colour);
    }

    /// A text of the given font size in the middle of `at`.
    pub(crate) fn centred(&self, text: &str, at: (f64, f64), px: f64, colour: RGBColor) {
        self.write(text, at, Anchor::Middle, (px, FontStyle::Normal), colour);
    }

    /// A bold text of the given font size, from its start; `at.1` is the middle of the line.
    pub(crate) fn bold(&self, text: &str, at: (f64, f64), px: f64, colour: RGBColor) {
        self.write(text, at, Anchor::Start, (px, FontStyle::Bold), colour);
    }

    fn write(
        &self,
        text: &str,
        at: (f64, f64),
        anchor: Anchor,
        (px, weight): (f64, FontStyle),
        colour: RGBColor,
    ) {
        let h = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        // The backend divides a font's size by 1.24, and centres small letters, not digits.
        let font = FontDesc::new(FontFamily::SansSerif, px * UNITS_PER_PX * 1.24, weight);
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(h, VPos::Center));
        self.area.draw_text(&plain_line(text), &style, units((at.0, at.1 + px * 0.09))).ok();
    }
}

/// `as` saturates, so that no coordinate can overflow.
fn units((x, y): (f64, f64)) -> (i32, i32) {
    ((x * UNITS_PER_PX).round() as i32, (y * UNITS_PER_PX).round() as i32)
}

fn stroke(px: f64) -> u32 {
    (px * UNITS_PER_PX).round() as u32
}
