//! Colours of a heat map: red below its centre, blue above, so that they can be told apart
//! without telling red from green.

use plotters::style::RGBColor;

/// The red-to-blue scheme of ColorBrewer (Harrower and Brewer, 2003) at -1, -½, 0, ½ and 1.
const STOPS: [RGBColor; 5] = [
    RGBColor(0xB2, 0x18, 0x2B),
    RGBColor(0xF4, 0xA5, 0x82),
    RGBColor(0xF7, 0xF7, 0xF7),
    RGBColor(0x92, 0xC5, 0xDE),
    RGBColor(0x21, 0x66, 0xAC),
];
pub(crate) const DARK_TEXT: RGBColor = RGBColor(0x00, 0x00, 0x00);
const LIGHT_TEXT: RGBColor = RGBColor(0xFE, 0xFE, 0xFE);

/// A cell's colour, and that of the text upon it.
pub(crate) struct CellColours {
    pub(crate) cell: RGBColor,
    pub(crate) text: RGBColor,
}

/// Colours for a value at `share` of the full colour: -1 to 1, beyond which it stays the same.
pub(crate) fn diverging(share: f64) -> CellColours {
    let place = (share.clamp(-1.0, 1.0) + 1.0) * 2.0;
    let lower = (place.floor() as usize).min(STOPS.len() - 2);
    let cell = mix(STOPS[lower], STOPS[lower + 1], place - lower as f64);
    let dark_reads_better = contrast(cell, DARK_TEXT) >= contrast(cell, LIGHT_TEXT);
    CellColours { cell, text: if dark_reads_better { DARK_TEXT } else { LIGHT_TEXT } }
}

/// The distance from the centre at which a cell has its full colour: the 95 % quantile, so that one
/// extreme value does not make all the others pale. `None` when every distance is zero.
pub(crate) fn full_colour_at(distances: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> =
        distances.map(f64::abs).filter(|distance| distance.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * 0.95).ceil() as usize;
    let quantile = *sorted.get(at.max(1) - 1)?;
    let limit = if quantile > 0.0 { quantile } else { *sorted.last()? };
    (limit > 0.0).then_some(limit)
}

fn mix(a: RGBColor, b: RGBColor, share: f64) -> RGBColor {
    let channel =
        |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    RGBColor(channel(a.0, b.0), channel(a.1, b.1), channel(a.2, b.2))
}

/// Contrast ratio, 1 to 21. Source: WCAG 2.1, "contrast ratio".
fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance, 0 to 1. Source: WCAG 2.1, "relative luminance".
fn luminance(colour: RGBColor) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_on_every_shade_has_the_contrast_that_wcag_asks_for() {
        for step in -120..=120 {
            let colours = diverging(f64::from(step) / 100.0);
            let contrast = contrast(colours.cell, colours.text);
            assert!(contrast >= 4.5, "{step}: {contrast}");
        }
    }

    #[test]
    fn losses_are_red_and_gains_blue() {
        assert_eq!(diverging(-5.0).cell, STOPS[0]);
        assert_eq!(diverging(0.0).cell, STOPS[2]);
        assert_eq!(diverging(5.0).cell, STOPS[4]);
    }

    #[test]
    fn an_extreme_value_does_not_set_the_scale() {
        let values = (1..=100).map(|i| if i == 100 { 50.0 } else { 0.01 });
        assert_eq!(full_colour_at(values), Some(0.01));
        assert_eq!(full_colour_at([0.0, 0.0].into_iter()), None);
        assert_eq!(full_colour_at([f64::NAN].into_iter()), None);
        assert_eq!(full_colour_at([0.0, 0.0, -2.0].into_iter()), Some(2.0));
    }
}
