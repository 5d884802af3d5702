use chrono::NaiveDate;

/// A value for each session, drawn as one line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// What the legend says.
    pub name: String,
    /// Session and value, in the unit that the plot names. The order does not matter. A value that
    /// is not finite breaks the line.
    pub points: Vec<(NaiveDate, f64)>,
}

impl Series {
    /// A series of this name.
    pub fn new(name: impl Into<String>, points: Vec<(NaiveDate, f64)>) -> Self {
        Self { name: name.into(), points }
    }
}

/// Whether a value has a place on an axis. Beyond 1e150 differences and logarithms lose meaning.
pub(crate) fn is_drawable(value: f64) -> bool {
    value.abs() < 1e150
}

/// The least and the greatest drawable value.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let drawable = values.into_iter().filter(|value| is_drawable(*value));
    drawable.fold(None, |extent, value| {
        let (lo, hi) = extent.unwrap_or((value, value));
        Some((value.min(lo), value.max(hi)))
    })
}
