use crate::header::{LegendItem, Mark};
use crate::palette::series_colour;

/// A legend of lines, the strategy first.
pub(crate) fn legend<'a>(names: impl Iterator<Item = &'a String>) -> Vec<LegendItem> {
    let item = |(i, name): (usize, &String)| LegendItem {
        name: name.clone(),
        colour: series_colour(i),
        mark: Mark::Line,
    };
    names.enumerate().map(item).collect()
}
