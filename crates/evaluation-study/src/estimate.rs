use serde::Serialize;

/// A figure over rows and its bootstrap interval.
///
/// Rows of one date are not independent of each other, nor are those of neighbouring dates: the same
/// news, the same market, returns that overlap. So what is drawn again is whole dates, in circular
/// blocks of neighbouring ones; the interval is between percentiles of the replicates. A block has
/// ⌈D^(1/3)⌉ of the D dates that have a value, or as many as lie within a forward window if that is
/// more, and at most a quarter of them. An interval from few blocks is too narrow.
///
/// Source: Künsch (1989) and Politis and Romano (1992) for blocks, Hall, Horowitz and Jing (1995) for
/// the cube root.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure of the rows as they are.
    pub value: f64,
    /// The interval's lower end; `None` where there are fewer than two dates, or where most
    /// replicates have no value.
    pub lower: Option<f64>,
    /// The interval's upper end, likewise.
    pub upper: Option<f64>,
    /// The standard deviation of the replicates, likewise.
    pub standard_error: Option<f64>,
    /// Rows that the figure is of.
    pub rows: u64,
    /// Dates that they are of.
    pub dates: u64,
    /// Dates a block.
    pub block_dates: u64,
}

impl Estimate {
    /// The figure `function` of this one, for a function that only rises: the ends of the interval
    /// go with it, the standard error does not.
    pub(crate) fn map_rising(self, function: fn(f64) -> f64) -> Self {
        Self {
            value: function(self.value),
            lower: self.lower.map(function),
            upper: self.upper.map(function),
            standard_error: None,
            ..self
        }
    }
}
