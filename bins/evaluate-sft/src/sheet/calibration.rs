use backtest_report::{EvaluationPart, FigureRow, FigureTable, Value};
use evaluation_study::{CalibrationScores, ModelJudgement};

use super::cells::{Models, with_interval};

/// Probabilities of the five actions.
pub(super) fn part(models: &Models<'_>) -> EvaluationPart {
    let tables = models.iter().filter_map(|(name, model)| table(name, model)).collect();
    EvaluationPart {
        title: "Calibration".to_owned(),
        lead: "The model's own probabilities of the five actions where its answer names one, before and after a temperature \
               that was fitted on other rows."
            .to_owned(),
        findings: models.iter().filter_map(|(name, model)| finding(name, model)).collect(),
        plots: Vec::new(),
        tables,
    }
}

fn finding(name: &str, model: &ModelJudgement) -> Option<String> {
    let fitted = model.calibration.as_ref()?.temperature?;
    Some(format!(
        "Temperature of the {}: {:.3}, fitted on {} rows, whose mean −ln p went from {:.3} to {:.3}.",
        if name == "model" { "model".to_owned() } else { format!("{name} model") },
        fitted.temperature,
        fitted.rows,
        fitted.loss_before,
        fitted.loss_after
    ))
}

fn table(name: &str, model: &ModelJudgement) -> Option<FigureTable> {
    let calibration = model.calibration.as_ref()?;
    let scores = [Some(&calibration.before), calibration.after.as_ref()];
    let scores: Vec<&CalibrationScores> = scores.into_iter().flatten().collect();
    let row = |name: &str, how: &str, cell: &dyn Fn(&CalibrationScores) -> _| FigureRow {
        name: name.to_owned(),
        how: how.to_owned(),
        cells: scores.iter().map(|scores| cell(scores)).collect(),
    };
    let mut columns = vec!["before".to_owned()];
    columns.extend(calibration.after.is_some().then(|| "after".to_owned()));
    let title = if name == "model" {
        "Probabilities".to_owned()
    } else {
        format!("Probabilities, {name} model")
    };
    Some(FigureTable {
        title,
        note: format!("{} rows.", calibration.rows),
        head: "Figure".to_owned(),
        columns,
        rows: vec![
            row("Expected calibration error", "less is better", &|s| {
                Value::Ratio(s.expected_calibration_error).into()
            }),
            row("Maximum calibration error", "", &|s| {
                Value::Ratio(s.maximum_calibration_error).into()
            }),
            row("Brier score", "0 to 2; 0.8 for one fifth each", &|s| {
                with_interval(Some(s.brier), Value::Ratio)
            }),
            row("Log loss", "nats; 1.609 for one fifth each", &|s| {
                with_interval(Some(s.log_loss), Value::Ratio)
            }),
            row("Mean confidence", "", &|s| with_interval(Some(s.mean_confidence), Value::Percent)),
            row("Accuracy of the likeliest action", "", &|s| {
                with_interval(Some(s.accuracy), Value::Percent)
            }),
        ],
    })
}
