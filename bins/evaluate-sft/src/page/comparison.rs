use backtest_report::{EvaluationPart, FigureCell, FigureRow, FigureTable, Value};
use evaluation_study::{Comparison, Difference, EvaluationStudy, Figure, LossTest};

use super::cells::{Unit, change, confidence, interval, points, with_interval};
use super::{part_if_any, sessions};

/// The tuned model against the base model, in sentences.
pub(super) fn part(study: &EvaluationStudy) -> Option<EvaluationPart> {
    let comparison = study.comparison.as_ref()?;
    let mut findings: Vec<String> = accuracy(comparison, study).into_iter().collect();
    findings.push(mcnemar(comparison));
    findings.extend(comparison.loss.as_ref().and_then(loss));
    part_if_any(EvaluationPart {
        title: "Comparison".to_owned(),
        lead: "The tuned model against the model that it was trained from, on the same rows and prompts. p is how \
               often a difference at least as large would come if there were none."
            .to_owned(),
        findings,
        tables: vec![differences(comparison)],
        ..EvaluationPart::default()
    })
}

fn accuracy(comparison: &Comparison, study: &EvaluationStudy) -> Option<String> {
    let found = comparison.differences.iter().find(|found| found.figure == Figure::Accuracy)?;
    let difference = found.difference;
    let mut text = format!("Accuracy differs by {}", points(difference.value));
    if let (Some(lower), Some(upper)) = (difference.lower, difference.upper) {
        let verdict = if lower > 0.0 || upper < 0.0 { "without 0" } else { "which holds 0" };
        text += &format!(
            "; the {} interval, from {} dates in blocks of {}, is {} points, {verdict}",
            confidence(study),
            difference.dates,
            difference.block_dates,
            interval(&difference, points)
        );
    }
    Some(text + ".")
}

fn differences(comparison: &Comparison) -> FigureTable {
    let row = |found: &Difference| {
        let (name, unit) = name_and_unit(found.figure);
        let better = if found.figure.less_is_better() { "below 0" } else { "above 0" };
        let Difference { difference, .. } = *found;
        let counts = [difference.rows, difference.dates, difference.block_dates];
        let mut cells: Vec<FigureCell> =
            vec![with_interval(difference, unit), Value::Text(better.to_owned()).into()];
        cells.extend(counts.map(|count| FigureCell::from(Value::Count(count))));
        FigureRow { name, how: String::new(), cells }
    };
    FigureTable {
        title: "Differences".to_owned(),
        note: "Tuned minus base, both drawn from the same dates; a block is so many neighbouring dates.".to_owned(),
        head: "Figure".to_owned(),
        columns: ["Difference", "Tuned is better", "Rows", "Dates", "Block"]
            .map(str::to_owned)
            .into(),
        rows: comparison.differences.iter().map(row).collect(),
    }
}

fn name_and_unit(figure: Figure) -> (String, Unit) {
    let (name, unit): (&str, Unit) = match figure {
        Figure::Accuracy => ("Accuracy", points),
        Figure::MacroF1 => ("Macro F1", change),
        Figure::BalancedAccuracy => ("Balanced accuracy", points),
        Figure::TagValidity => ("Valid tags", points),
        Figure::Loss => ("Loss, nats a token", change),
        Figure::Brier => ("Brier score, after each temperature", change),
        Figure::RougeL => ("ROUGE-L of the reasoning", change),
        Figure::ReasoningCosine => ("Cosine of the reasoning", change),
        Figure::HitRate(window) => return (format!("Hit rate, {}", sessions(window)), points),
        Figure::CallReturn(window) => {
            return (format!("Return of a call, {}", sessions(window)), points);
        }
        _ => ("Another figure", change),
    };
    (name.to_owned(), unit)
}

fn mcnemar(comparison: &Comparison) -> String {
    let test = &comparison.mcnemar;
    format!(
        "McNemar's test of accuracy: the tuned model alone is right in {} rows and the base model alone in {}; both \
         are in {}, neither in {}. Exact, two-sided {}: {}. With continuity correction χ² = {:.3}, {}. It takes rows \
         for independent, which the interval above does not.",
        test.first_only,
        test.second_only,
        test.both,
        test.neither,
        p_text(test.exact_p_value),
        in_words(test.exact_p_value),
        test.corrected_statistic,
        p_text(test.corrected_p_value)
    )
}

fn loss(test: &LossTest) -> Option<String> {
    let by_dates = test.diebold_mariano?;
    let mut text = format!(
        "Loss: Diebold and Mariano's test of the mean difference of each of {} dates (Bartlett window of {}, \
         small-sample correction) has the statistic {} (below 0 the tuned model is better), {}: {}.",
        test.dates,
        test.horizon,
        change(by_dates.statistic),
        p_text(by_dates.p_value),
        in_words(by_dates.p_value)
    );
    if let Some(rows) = test.paired_t {
        text += &format!(
            " The paired t-test of {} rows, taken for independent: t = {}, {}.",
            test.rows,
            change(rows.statistic),
            p_text(rows.p_value)
        );
    }
    Some(text)
}

fn p_text(p_value: f64) -> String {
    if p_value < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {p_value:.4}") }
}

fn in_words(p_value: f64) -> &'static str {
    match p_value {
        p if p < 0.001 => "it is hardly chance",
        p if p < 0.05 => "it is unlikely to be chance",
        _ => "it may well be chance",
    }
}
