//! Colours of the page. A plot is drawn in the colours of daylight; inside of the page, rules on
//! their attributes turn them into those of the reader's scheme.

use plotters::style::RGBColor;

use crate::palette::{BASE, BASELINES, BLUE, GRID, INK, MUTED, PAPER, SHADE, VERMILLION, hex};

/// Name, colour in plots and by daylight, and colour in the dark.
const THEME: [(&str, RGBColor, RGBColor); 9] = [
    ("paper", PAPER, RGBColor(0x15, 0x19, 0x1E)),
    ("ink", INK, RGBColor(0xE6, 0xE8, 0xEA)),
    ("muted", MUTED, RGBColor(0x9D, 0xA7, 0xB1)),
    ("rule", GRID, RGBColor(0x2D, 0x33, 0x3B)),
    ("base", BASE, RGBColor(0x76, 0x80, 0x8A)),
    ("shade", SHADE, RGBColor(0x20, 0x26, 0x2D)),
    ("blue", BLUE, RGBColor(0x4B, 0xA3, 0xE3)),
    ("vermillion", VERMILLION, RGBColor(0xE8, 0x7A, 0x2C)),
    ("grey", BASELINES[3], RGBColor(0x94, 0x9B, 0xA3)),
];

/// Style rules for both schemes. Print is always daylight.
pub(crate) fn theme_rules() -> String {
    let variables = |pick: fn(&(&str, RGBColor, RGBColor)) -> RGBColor| -> String {
        THEME.iter().map(|entry| format!("--{}:{};", entry.0, hex(pick(entry)))).collect()
    };
    let in_plots = THEME.iter().map(|(name, colour, _)| {
        let hex = hex(*colour);
        format!(
            ".plot [fill=\"{hex}\"]{{fill:var(--{name})}}\
             .plot [stroke=\"{hex}\"]{{stroke:var(--{name})}}\n"
        )
    });
    let day = variables(|entry| entry.1);
    let dark = variables(|entry| entry.2);
    format!(
        ":root{{{day}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{}",
        in_plots.collect::<String>()
    )
}
