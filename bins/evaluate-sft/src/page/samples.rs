use backtest_report::{SampleAnswer, SampleText, Value};
use evaluation_study::{EvaluatedRow, EvaluationStudy, ModelAnswer, action_probabilities};
use thesis_core::AnswerOutcome;

use super::sessions;

/// Rows of each kind that are shown, and of all.
const OF_A_KIND: usize = 2;
const MOST: usize = 6;

/// A few rows to read, the first by date, ticker and uid of each kind: right where the base model is not, wrong, broken
/// tags, and whatever else there is.
pub(super) fn samples(study: &EvaluationStudy, rows: &[EvaluatedRow]) -> Vec<SampleAnswer> {
    let mut sorted: Vec<&EvaluatedRow> = rows.iter().collect();
    sorted.sort_by_key(|row| (row.as_of_date, &row.ticker, &row.uid));
    let kinds: [fn(&EvaluatedRow) -> bool; 4] = [
        |row| {
            is_right(row, &row.tuned) && row.base.as_ref().is_none_or(|base| !is_right(row, base))
        },
        |row| !is_right(row, &row.tuned),
        |row| row.tuned.parsed.outcome != AnswerOutcome::Valid,
        |_| true,
    ];
    let mut chosen: Vec<&EvaluatedRow> = Vec::new();
    for kind in kinds {
        let is_new = |row: &&EvaluatedRow| !chosen.iter().any(|other| std::ptr::eq(*other, *row));
        let found: Vec<&EvaluatedRow> = sorted
            .iter()
            .copied()
            .filter(|row| kind(row) && is_new(row))
            .take(OF_A_KIND.min(MOST - chosen.len()))
            .collect();
        chosen.extend(found);
    }
    chosen.into_iter().map(|row| sample(study, row)).collect()
}

fn sample(study: &EvaluationStudy, row: &EvaluatedRow) -> SampleAnswer {
    let mut facts = vec![("label".to_owned(), row.label.to_string())];
    let windows = study.settings.forward_windows.iter().zip(&row.forward_returns);
    facts.extend(windows.map(|(window, forward)| {
        (format!("after {}", sessions(*window)), Value::Percent(*forward).to_string())
    }));
    let reference = SampleText {
        name: "reference".to_owned(),
        text: row.reference.clone(),
        ..SampleText::default()
    };
    let temperature = |name: &str| {
        let judged = if name == "tuned" { Some(&study.tuned) } else { study.base.as_ref() };
        let fit = judged.and_then(|judged| judged.calibration.as_ref()?.temperature);
        fit.map_or(1.0, |fit| fit.temperature)
    };
    let answers = [("tuned", Some(&row.tuned)), ("base", row.base.as_ref())];
    let answers = answers.into_iter().filter_map(|(name, answer)| {
        let answer = answer?;
        Some(SampleText {
            name: name.to_owned(),
            verdict: verdict(row, answer, temperature(name)),
            is_right: Some(is_right(row, answer)),
            text: answer.text.clone(),
        })
    });
    SampleAnswer {
        title: format!("{}, {}", row.ticker, row.as_of_date),
        facts,
        texts: [reference].into_iter().chain(answers).collect(),
    }
}

fn verdict(row: &EvaluatedRow, answer: &ModelAnswer, temperature: f64) -> String {
    let mut text = match answer.parsed.action {
        Some(action) if is_right(row, answer) => format!("right: {action}"),
        Some(action) => format!("wrong: {action}"),
        None => "wrong: no action".to_owned(),
    };
    let probabilities = answer.action_log_probs.and_then(|z| action_probabilities(&z, temperature));
    if let (Some(action), Some(p)) = (answer.parsed.action, probabilities) {
        text += &format!(", {:.0}% sure", 100.0 * p[action.index()]);
    }
    if answer.parsed.outcome != AnswerOutcome::Valid {
        text += &format!("; {}", answer.parsed.outcome.as_str().replace('_', " "));
    }
    text
}

fn is_right(row: &EvaluatedRow, answer: &ModelAnswer) -> bool {
    answer.parsed.action == Some(row.label)
}
