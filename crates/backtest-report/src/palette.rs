//! Colours of lines, text and paper. The series colours are those of Okabe and Ito (2008),
//! "Color Universal Design", which readers with any common colour vision can tell apart.

use plotters::style::RGBColor;

/// Behind everything.
pub(crate) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Titles and legends.
pub(crate) const INK: RGBColor = RGBColor(0x1F, 0x23, 0x28);
/// Labels of axes and units.
pub(crate) const MUTED: RGBColor = RGBColor(0x57, 0x60, 0x6A);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xE4, 0xE7, 0xEB);
/// The zero line and the foot of a plot.
pub(crate) const BASE: RGBColor = RGBColor(0x8C, 0x95, 0x9F);
/// Spans of time and cells without a value.
pub(crate) const SHADE: RGBColor = RGBColor(0xEE, 0xF0, 0xF2);
/// The strategy, and bars above zero.
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Losses and bars below zero.
pub(crate) const VERMILLION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);

/// Baselines in their order; after the last the colours begin again.
pub(crate) const BASELINES: [RGBColor; 6] = [
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x7A, 0x7F, 0x85),
    RGBColor(0x56, 0xB4, 0xE9),
    VERMILLION,
];

/// The colour of series `index` where the first is the strategy.
pub(crate) fn series_colour(index: usize) -> RGBColor {
    match index.checked_sub(1) {
        None => BLUE,
        Some(baseline) => BASELINES[baseline % BASELINES.len()],
    }
}

/// `#RRGGBB`, as the drawing crate writes it into the SVG.
pub(crate) fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}
