use chrono::NaiveDate;

use crate::{DrawdownSpan, MonthlyReturns, Value};

/// All that a page about one backtest shows; [`render`](crate::render) writes it. What is empty is
/// left out of the page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TearSheet {
    /// What was tested, such as the name of the model.
    pub title: String,
    /// A line below the title.
    pub subtitle: String,
    /// First and last session.
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// The few figures that come before all else.
    pub headline: Vec<Tile>,
    /// What a reader should know; warnings come first on the page, notes last.
    pub notes: Vec<Note>,
    /// Tables of metrics.
    pub sections: Vec<MetricSection>,
    /// Plots: the first stands above the tables, the others below.
    pub plots: Vec<Plot>,
    /// Returns by month.
    pub monthly: MonthlyReturns,
    /// Drawdowns, worst first.
    pub drawdowns: Vec<DrawdownSpan>,
    /// What was bought and sold: a name and a figure each, such as costs paid.
    pub fills: Vec<(String, Value)>,
    /// Orders that were not filled, by reason.
    pub dropped: Vec<DroppedOrders>,
    /// Settings of the run: name and value.
    pub settings: Vec<(String, String)>,
    /// Where the figures come from.
    pub provenance: Provenance,
}

/// A figure in large type.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// Its name, such as `CAGR`.
    pub label: String,
    /// The figure.
    pub value: Value,
    /// A few words below it, such as the figure of a baseline.
    pub note: String,
}

/// A remark on the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Whether it casts doubt on the figures.
    pub is_warning: bool,
    /// The remark.
    pub text: String,
}

/// A table of metrics: a row a metric, a column the strategy and each baseline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricSection {
    /// Title of the table.
    pub title: String,
    /// A line below the title.
    pub note: String,
    /// Names of the columns, the strategy first.
    pub columns: Vec<String>,
    /// The metrics.
    pub rows: Vec<MetricRow>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricRow {
    /// Its name.
    pub name: String,
    /// A figure for each column.
    pub values: Vec<Value>,
    /// How it is computed, such as `mean / standard deviation (ddof 1) × √252`.
    pub convention: String,
}

/// A plot of this crate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plot {
    /// The SVG document, which goes into the page as it is: it must come from a source to trust.
    pub svg: String,
    /// A sentence below it.
    pub caption: String,
}

/// Orders that were not filled for one reason.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DroppedOrders {
    /// The reason.
    pub reason: String,
    /// How many orders.
    pub count: u64,
    /// One of them, such as `TSLA 2021-03-04`.
    pub example: String,
}

/// What is needed to compute the figures again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Provenance {
    /// Name and version of the program.
    pub tool: String,
    /// Commit of the program's source, where known.
    pub git_commit: Option<String>,
    /// Digest of the settings.
    pub config_digest: String,
    /// Name and digest of each input.
    pub inputs: Vec<(String, String)>,
}
