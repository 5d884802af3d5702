use backtest_report::{SampleAnswer, SampleText};
use evaluation_study::{EvaluatedRow, ModelAnswer};
use thesis_core::Action;

/// Rows that are shown.
const SHOWN: usize = 6;

/// Some rows with what models wrote: half of them right and half wrong where there are such, spread over the split.
pub(super) fn samples(rows: &[EvaluatedRow]) -> Vec<SampleAnswer> {
    let is_right = |row: &&EvaluatedRow| row.tuned.parsed.action == Some(row.label);
    let (right, wrong): (Vec<&EvaluatedRow>, Vec<&EvaluatedRow>) = rows.iter().partition(is_right);
    let of_wrong = wrong.len().min(SHOWN / 2).max(SHOWN.saturating_sub(right.len()));
    let mut chosen = spread(&wrong, of_wrong);
    chosen.extend(spread(&right, SHOWN.saturating_sub(chosen.len())));
    chosen.sort_by(|a, b| (a.as_of_date, &a.uid).cmp(&(b.as_of_date, &b.uid)));
    chosen.into_iter().map(sample).collect()
}

fn spread<'a>(rows: &[&'a EvaluatedRow], count: usize) -> Vec<&'a EvaluatedRow> {
    let count = count.min(rows.len());
    (0..count).map(|at| rows[at * rows.len() / count]).collect()
}

fn sample(row: &EvaluatedRow) -> SampleAnswer {
    let mut texts = vec![SampleText {
        name: "reference".to_owned(),
        verdict: String::new(),
        is_right: None,
        text: row.reference.clone(),
    }];
    let names = if row.base.is_some() { ["tuned", "base"] } else { ["model", ""] };
    let answers = [Some(&row.tuned), row.base.as_ref()];
    let told = names.into_iter().zip(answers);
    texts.extend(told.filter_map(|(name, answer)| Some(text(name, answer?, row.label))));
    SampleAnswer {
        title: format!("{}, {}", row.ticker, row.as_of_date),
        facts: vec![("label".to_owned(), row.label.to_string())],
        texts,
    }
}

fn text(name: &str, answer: &ModelAnswer, label: Action) -> SampleText {
    let action = answer.parsed.action;
    let is_right = action == Some(label);
    let called = action.map_or_else(|| "no action".to_owned(), |action| action.to_string());
    SampleText {
        name: name.to_owned(),
        verdict: format!("{called}, {}", answer.parsed.outcome.as_str().replace('_', " ")),
        is_right: Some(is_right),
        text: answer.text.clone(),
    }
}
