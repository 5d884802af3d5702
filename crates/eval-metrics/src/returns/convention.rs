use serde::Serialize;

/// What a statistic is called, how it is shown, and which of the many conventions it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Convention {
    /// Its name for a reader, such as "Sharpe ratio".
    pub name: &'static str,
    /// How its value is to be shown.
    pub unit: Unit,
    /// The formula in one line.
    pub formula: &'static str,
    /// What other programs do otherwise, or what to know when reading it.
    pub note: &'static str,
}

/// The unit of a statistic's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A fraction that reads best as a percentage: 0.05 is 5 %.
    Percent,
    /// A plain number.
    Ratio,
    /// A number of periods, which are trading days for daily returns.
    Periods,
}
