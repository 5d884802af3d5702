use chrono::NaiveDate;

use crate::{Note, Plot, Provenance, Tile, Value};

/// All that a page about a model's answers shows;
/// [`render_evaluation`](crate::render_evaluation) writes it. What is empty is left out of the page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EvaluationPage {
    /// What was judged, such as the name of the model.
    pub title: String,
    /// A line below the title.
    pub subtitle: String,
    /// First and last as-of date.
    pub period: Option<(NaiveDate, NaiveDate)>,
    /// The few figures that come before all else.
    pub headline: Vec<Tile>,
    /// What a reader should know; warnings come first on the page, notes last.
    pub notes: Vec<Note>,
    /// Parts with findings, plots and tables, in order.
    pub parts: Vec<EvaluationPart>,
    /// Answers to read.
    pub samples: Vec<SampleAnswer>,
    /// What each figure means.
    pub meanings: Vec<Meaning>,
    /// Settings of the run: name and value.
    pub settings: Vec<(String, String)>,
    /// Where the figures come from.
    pub provenance: Provenance,
}

/// A part of the page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EvaluationPart {
    /// Its title, a word or two: it is in the list of parts too.
    pub title: String,
    /// A line below the title.
    pub lead: String,
    /// What was found, a sentence each.
    pub findings: Vec<String>,
    /// Plots.
    pub plots: Vec<Plot>,
    /// Tables.
    pub tables: Vec<FigureTable>,
}

/// A table of figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FigureTable {
    /// Its title.
    pub title: String,
    /// A line below the title.
    pub note: String,
    /// What its rows are, such as `Action`.
    pub head: String,
    /// What its columns are.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<FigureRow>,
}

/// A row of a table of figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FigureRow {
    /// Its name.
    pub name: String,
    /// A few words below the name, such as how the figure is computed.
    pub how: String,
    /// A figure for each column; what is missing is shown as `n/a`.
    pub cells: Vec<FigureCell>,
}

/// A figure of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureCell {
    /// The figure.
    pub value: Value,
    /// A few words below it, such as its interval.
    pub under: String,
}

impl From<Value> for FigureCell {
    /// A figure without anything below it.
    fn from(value: Value) -> Self {
        Self { value, under: String::new() }
    }
}

/// A row with what was to be written and what models wrote.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleAnswer {
    /// Which row, such as `AAPL, 2023-04-03`.
    pub title: String,
    /// What is known of it: a name and a value each, such as its label.
    pub facts: Vec<(String, String)>,
    /// The texts, the reference first.
    pub texts: Vec<SampleText>,
}

/// A text of a sample; its line breaks are kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleText {
    /// Whose it is, such as `tuned`.
    pub name: String,
    /// What is said of it, such as `right: BUY`; empty for the reference.
    pub verdict: String,
    /// Whether its call is right; `None` for the reference.
    pub is_right: Option<bool>,
    /// The text. Of a very long one the beginning is shown.
    pub text: String,
}

/// What a figure means.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meaning {
    /// The figure's name.
    pub name: String,
    /// What it says, its range, and how it is computed.
    pub text: String,
}
