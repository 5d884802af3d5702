use backtest_report::{EvaluationPart, FigureCell, FigureRow, FigureTable, Value};
use evaluation_study::{EvaluationStudy, Figure, ModelJudgement};
use thesis_core::Action;

use super::cells::{Unit, bare, change, model_columns, model_row, points, with_interval};
use super::{part_if_any, plots_named};
use crate::plots::NamedPlot;

/// Calls against labels.
pub(super) fn part(study: &EvaluationStudy, plots: &[NamedPlot]) -> Option<EvaluationPart> {
    let mut tables = vec![figures(study)];
    match &study.base {
        None => tables.push(classes("By action", &study.tuned)),
        Some(base) => tables.extend([
            classes("By action, tuned model", &study.tuned),
            classes("By action, base model", base),
        ]),
    }
    part_if_any(EvaluationPart {
        title: "Calls".to_owned(),
        lead: "The action of each answer against the label of its row. An answer without an action is wrong."
            .to_owned(),
        findings: majority(study).into_iter().collect(),
        plots: plots_named(plots, &["confusion_matrix", "confusion_matrix_base"]),
        tables,
    })
}

fn majority(study: &EvaluationStudy) -> Option<String> {
    let commonest = Action::ALL.into_iter().rev().max_by_key(|a| study.labels[a.index()])?;
    let share = study.labels[commonest.index()] as f64 / study.rows as f64;
    Some(format!(
        "Always saying {commonest}, the commonest label, would be right in {} of rows; the model is in {}.",
        Value::Percent(share),
        Value::Percent(study.tuned.calls.accuracy.value)
    ))
}

fn figures(study: &EvaluationStudy) -> FigureTable {
    type Of = fn(&ModelJudgement) -> FigureCell;
    let row = |name: &str, how: &str, cell: Of, figure: Option<(Figure, Unit)>| {
        model_row(study, (name, how), cell, figure)
    };
    FigureTable {
        title: "All actions".to_owned(),
        note: String::new(),
        head: "Figure".to_owned(),
        columns: model_columns(study),
        rows: vec![
            row(
                "Accuracy",
                "Share of rows whose action is the label.",
                |model| with_interval(model.calls.accuracy, Value::Percent),
                Some((Figure::Accuracy, points)),
            ),
            row(
                "Direction",
                "Share of rows with the label's direction: buy, hold or sell.",
                |model| with_interval(model.calls.direction_accuracy, Value::Percent),
                None,
            ),
            row(
                "Macro F1",
                "Mean F1 of the actions that are labels.",
                |model| with_interval(model.calls.macro_f1, Value::Ratio),
                Some((Figure::MacroF1, change)),
            ),
            row(
                "Balanced accuracy",
                "Mean recall of the actions that are labels.",
                |model| with_interval(model.calls.balanced_accuracy, Value::Percent),
                Some((Figure::BalancedAccuracy, points)),
            ),
            row(
                "Weighted F1",
                "Mean F1, weighted by labels.",
                |model| Value::Ratio(model.calls.weighted_f1).into(),
                None,
            ),
            row(
                "Matthews correlation",
                "1 all right, 0 no better than chance.",
                |model| bare(model.calls.matthews_correlation, Value::Ratio),
                None,
            ),
            row(
                "Cohen's kappa",
                "Agreement beyond chance.",
                |model| bare(model.calls.cohen_kappa, Value::Ratio),
                None,
            ),
            row(
                "Answers without an action",
                "They count as wrong.",
                |model| Value::Count(model.calls.without_action).into(),
                None,
            ),
        ],
    }
}

fn classes(title: &str, model: &ModelJudgement) -> FigureTable {
    let row = |action: Action| {
        let scores = &model.calls.classes[action.index()];
        FigureRow {
            name: action.as_str().to_owned(),
            how: String::new(),
            cells: vec![
                Value::Count(scores.support).into(),
                Value::Count(scores.predicted).into(),
                Value::Percent(scores.precision).into(),
                Value::Percent(scores.recall).into(),
                Value::Ratio(scores.f1).into(),
            ],
        }
    };
    FigureTable {
        title: title.to_owned(),
        note: "Precision: the share of an action's calls that were right. Recall: the share of its labels that were \
               found. Where there is nothing to divide by, 0."
            .to_owned(),
        head: "Action".to_owned(),
        columns: ["Labels", "Calls", "Precision", "Recall", "F1"].map(str::to_owned).into(),
        rows: Action::ALL.map(row).into(),
    }
}
