use backtest_report::{EvaluationPart, FigureRow, FigureTable, Value};
use evaluation_study::{Comparison, EvaluationStudy, Figure, ModelJudgement};

use super::cells::{Models, bare, columns, row, with_interval};

/// Calls against labels.
pub(super) fn part(study: &EvaluationStudy, models: &Models<'_>) -> EvaluationPart {
    let mut tables = vec![all(models)];
    tables.extend(models.iter().map(|(name, model)| classes(name, model)));
    tables.extend(study.comparison.as_ref().map(comparison));
    EvaluationPart {
        title: "Calls".to_owned(),
        lead:
            "The action of each answer against the analyst's; an answer without an action is wrong."
                .to_owned(),
        findings: study.comparison.as_ref().map(findings).unwrap_or_default(),
        plots: Vec::new(),
        tables,
    }
}

fn all(models: &Models<'_>) -> FigureTable {
    let row = |name, how, cell: &dyn Fn(&ModelJudgement) -> _| row(name, how, models, cell);
    FigureTable {
        title: "Calls against labels".to_owned(),
        note: String::new(),
        head: "Figure".to_owned(),
        columns: columns(models),
        rows: vec![
            row("Accuracy", "", &|m| with_interval(Some(m.calls.accuracy), Value::Percent)),
            row("Direction", "buys, holds and sells as one each", &|m| {
                with_interval(Some(m.calls.direction_accuracy), Value::Percent)
            }),
            row("Macro F1", "mean over the classes that occur", &|m| {
                with_interval(Some(m.calls.macro_f1), Value::Ratio)
            }),
            row("Balanced accuracy", "mean recall of these classes", &|m| {
                with_interval(Some(m.calls.balanced_accuracy), Value::Percent)
            }),
            row("Weighted F1", "", &|m| bare(Some(m.calls.weighted_f1), Value::Ratio)),
            row("Matthews correlation", "", &|m| bare(m.calls.matthews_correlation, Value::Ratio)),
            row("Cohen's kappa", "", &|m| bare(m.calls.cohen_kappa, Value::Ratio)),
            row("Valid tags", "to the letter of the grammar", &|m| {
                with_interval(Some(m.tags.valid), Value::Percent)
            }),
            row("Without an action", "", &|m| Value::Count(m.calls.without_action).into()),
        ],
    }
}

fn classes(name: &str, model: &ModelJudgement) -> FigureTable {
    let title =
        if name == "model" { "By action".to_owned() } else { format!("By action, {name} model") };
    let row = |class: &eval_metrics::classification::ClassScores| FigureRow {
        name: class.label.clone(),
        how: String::new(),
        cells: vec![
            Value::Percent(class.precision).into(),
            Value::Percent(class.recall).into(),
            Value::Ratio(class.f1).into(),
            Value::Count(class.support).into(),
            Value::Count(class.predicted).into(),
        ],
    };
    FigureTable {
        title,
        note: String::new(),
        head: "Action".to_owned(),
        columns: ["precision", "recall", "F1", "labels", "calls"].map(str::to_owned).into(),
        rows: model.calls.classes.iter().map(row).collect(),
    }
}

fn findings(comparison: &Comparison) -> Vec<String> {
    let mcnemar = comparison.mcnemar;
    let mut findings = vec![format!(
        "Right in both models: {}; in the tuned one alone: {}; in the base alone: {}; in none: {}. McNemar's exact test: p \
         = {}.",
        mcnemar.both,
        mcnemar.first_only,
        mcnemar.second_only,
        mcnemar.neither,
        p_value(mcnemar.exact_p_value)
    )];
    if let Some(loss) = &comparison.loss {
        let of = |name: &str, p: f64, sample: String| {
            format!("{name} over {sample}: p = {}", p_value(p))
        };
        let dm = loss.diebold_mariano.map(|test| {
            of("Diebold and Mariano's test", test.p_value, format!("{} dates", loss.dates))
        });
        let t = loss
            .paired_t
            .map(|test| of("the paired t-test", test.p_value, format!("{} rows", loss.rows)));
        let tests: Vec<String> = [dm, t].into_iter().flatten().collect();
        if !tests.is_empty() {
            findings.push(format!("Loss a token, tuned against base. {}.", tests.join("; ")));
        }
    }
    findings
}

fn p_value(p: f64) -> String {
    if p < 0.0001 { "below 0.0001".to_owned() } else { format!("{p:.4}") }
}

fn comparison(comparison: &Comparison) -> FigureTable {
    let row = |difference: &evaluation_study::Difference| {
        let (name, shown): (String, fn(f64) -> Value) = match difference.figure {
            Figure::Accuracy => ("Accuracy".to_owned(), Value::Percent),
            Figure::MacroF1 => ("Macro F1".to_owned(), Value::Ratio),
            Figure::BalancedAccuracy => ("Balanced accuracy".to_owned(), Value::Percent),
            Figure::TagValidity => ("Valid tags".to_owned(), Value::Percent),
            Figure::Loss => ("Loss a token".to_owned(), Value::Ratio),
            Figure::Brier => ("Brier score".to_owned(), Value::Ratio),
            Figure::RougeL => ("ROUGE-L".to_owned(), Value::Ratio),
            Figure::ReasoningCosine => ("Cosine of reasoning".to_owned(), Value::Ratio),
            Figure::HitRate(sessions) => (format!("Hit rate, {sessions} sessions"), Value::Percent),
            Figure::CallReturn(sessions) => {
                (format!("Return of calls, {sessions} sessions"), Value::Percent)
            }
            other => (format!("{other:?}"), Value::Ratio),
        };
        let how = if difference.figure.less_is_better() { "less is better" } else { "" };
        FigureRow {
            name,
            how: how.to_owned(),
            cells: vec![with_interval(Some(difference.difference), shown)],
        }
    };
    FigureTable {
        title: "Tuned minus base".to_owned(),
        note: "Both are taken of the same dates in each replicate.".to_owned(),
        head: "Figure".to_owned(),
        columns: vec!["difference".to_owned()],
        rows: comparison.differences.iter().map(row).collect(),
    }
}
