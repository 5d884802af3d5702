use crate::Series;
use crate::header::{LegendItem, Mark};
use crate::palette::series_colour;

/// A legend of lines, the strategy first.
pub(crate) fn legend(series: &[Series]) -> Vec<LegendItem> {
    let item = |(i, series): (usize, &Series)| LegendItem {
        name: series.name.clone(),
        colour: series_colour(i),
        mark: Mark::Line,
    };
    series.iter().enumerate().map(item).collect()
}
