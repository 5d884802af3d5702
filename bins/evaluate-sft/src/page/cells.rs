use backtest_report::{FigureCell, FigureRow, Value};
use evaluation_study::{Difference, Estimate, EvaluationStudy, Figure, ModelJudgement};

/// How a number is shown.
pub(super) type Unit = fn(f64) -> Value;

const POINTS: &str = " points";

/// A figure with its interval below it.
pub(super) fn with_interval(estimate: Estimate, unit: Unit) -> FigureCell {
    FigureCell { value: unit(estimate.value), under: interval(&estimate, unit) }
}

/// The same, where there may be none.
pub(super) fn if_known(estimate: Option<Estimate>, unit: Unit) -> FigureCell {
    estimate.map_or(missing(), |estimate| with_interval(estimate, unit))
}

/// `40.50% to 70.00%`, `+4.20 to +9.10` of points; empty where there is no interval.
pub(super) fn interval(estimate: &Estimate, unit: Unit) -> String {
    match (estimate.lower, estimate.upper) {
        (Some(lower), Some(upper)) => {
            format!("{} to {}", unit(lower), unit(upper)).replace(POINTS, "")
        }
        _ => String::new(),
    }
}

/// A number without an interval.
pub(super) fn bare(value: Option<f64>, unit: Unit) -> FigureCell {
    value.map_or(missing(), |value| unit(value).into())
}

pub(super) fn missing() -> FigureCell {
    Value::Missing.into()
}

/// A row with a cell for the tuned model, one for the base model where there is one, and then their
/// difference.
pub(super) fn model_row(
    study: &EvaluationStudy,
    (name, how): (&str, &str),
    cell: impl Fn(&ModelJudgement) -> FigureCell,
    difference: Option<(Figure, Unit)>,
) -> FigureRow {
    let mut cells: Vec<FigureCell> =
        [Some(&study.tuned), study.base.as_ref()].into_iter().flatten().map(cell).collect();
    if study.comparison.is_some() {
        let found = difference.and_then(|(figure, unit)| Some((find(study, figure)?, unit)));
        cells.push(found.map_or(blank(), |(found, unit)| with_interval(found.difference, unit)));
    }
    FigureRow { name: name.to_owned(), how: how.to_owned(), cells }
}

/// The columns of [`model_row`].
pub(super) fn model_columns(study: &EvaluationStudy) -> Vec<String> {
    let mut columns = vec![if study.base.is_some() { "Tuned" } else { "Model" }];
    if study.base.is_some() {
        columns.push("Base");
    }
    if study.comparison.is_some() {
        columns.push("Difference");
    }
    columns.into_iter().map(str::to_owned).collect()
}

/// A difference of shares, in percentage points with a sign.
pub(super) fn points(difference: f64) -> Value {
    signed(100.0 * difference, 2, POINTS)
}

/// A difference of numbers, with a sign.
pub(super) fn change(difference: f64) -> Value {
    signed(difference, 3, "")
}

fn signed(value: f64, decimals: usize, unit: &str) -> Value {
    let text = Value::Number(value, decimals, String::new()).to_string();
    let sign = if text.starts_with('−') || value <= 0.0 || text == "n/a" { "" } else { "+" };
    Value::Text(format!("{sign}{text}{unit}"))
}

/// `95%`, `97.5%`.
pub(super) fn confidence(study: &EvaluationStudy) -> String {
    format!("{}%", (1_000.0 * study.settings.bootstrap.confidence).round() / 10.0)
}

fn find(study: &EvaluationStudy, figure: Figure) -> Option<Difference> {
    study.comparison.as_ref()?.differences.iter().find(|found| found.figure == figure).copied()
}

fn blank() -> FigureCell {
    Value::Text(String::new()).into()
}
