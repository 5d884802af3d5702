use backtest_report::{FigureCell, FigureRow, Value};
use evaluation_study::{Estimate, ModelJudgement};

/// An estimate with its interval below it.
pub(super) fn with_interval(estimate: Option<Estimate>, shown: fn(f64) -> Value) -> FigureCell {
    let Some(Estimate { value, lower, upper, .. }) = estimate else {
        return Value::Missing.into();
    };
    let under = match (lower, upper) {
        (Some(lower), Some(upper)) => format!("{} to {}", shown(lower), shown(upper)),
        _ => String::new(),
    };
    FigureCell { value: shown(value), under }
}

/// A number without an interval.
pub(super) fn bare(value: Option<f64>, shown: fn(f64) -> Value) -> FigureCell {
    value.map_or(Value::Missing, shown).into()
}

/// The models that were judged, by their names.
pub(super) type Models<'a> = [(&'static str, &'a ModelJudgement)];

/// A row with a cell for each model.
pub(super) fn row(
    name: impl Into<String>,
    how: impl Into<String>,
    models: &Models<'_>,
    cell: impl Fn(&ModelJudgement) -> FigureCell,
) -> FigureRow {
    let cells = models.iter().map(|(_, model)| cell(model)).collect();
    FigureRow { name: name.into(), how: how.into(), cells }
}

/// The names of the models as heads of columns.
pub(super) fn columns(models: &Models<'_>) -> Vec<String> {
    models.iter().map(|(name, _)| (*name).to_owned()).collect()
}
