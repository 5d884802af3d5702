use anyhow::Context;
use evaluation_study::{EvaluatedRow, ModelAnswer, ValidationRow};
use thesis_core::parse_answer;

use crate::answers::{Answer, AnswersFile, Key, Line, Part};
use crate::model::Which;
use crate::rows::Row;

/// The rows that are judged, out of records, returns and answers.
///
/// # Errors
/// An answer that is not there.
pub(crate) fn judged_rows(
    rows: &[Row],
    forward: &[Vec<f64>],
    answers: &AnswersFile,
    with_base: bool,
) -> anyhow::Result<Vec<EvaluatedRow>> {
    let row = |(index, (row, forward)): (usize, (&Row, &Vec<f64>))| {
        let record = &row.record;
        Ok(EvaluatedRow {
            uid: record.uid.clone(),
            ticker: record.ticker.clone(),
            as_of_date: record.as_of_date,
            label: record.action,
            reference: record.output.clone(),
            forward_returns: forward.clone(),
            tuned: model_answer(answers, Which::Tuned, index)?,
            base: with_base.then(|| model_answer(answers, Which::Base, index)).transpose()?,
        })
    };
    rows.iter().zip(forward).enumerate().map(row).collect()
}

/// The rows that a temperature is fitted on.
///
/// # Errors
/// An answer that is not there.
pub(crate) fn temperature_rows(
    rows: &[Row],
    answers: &AnswersFile,
    with_base: bool,
) -> anyhow::Result<Vec<ValidationRow>> {
    let log_probs = |which, row| -> anyhow::Result<[f64; 5]> {
        Ok(answer(answers, which, Part::Temperature, row)?.action_log_probs)
    };
    let row = |(index, row): (usize, &Row)| -> anyhow::Result<ValidationRow> {
        Ok(ValidationRow {
            label: row.record.action,
            tuned: Some(log_probs(Which::Tuned, index)?),
            base: with_base.then(|| log_probs(Which::Base, index)).transpose()?,
        })
    };
    rows.iter().enumerate().map(row).collect()
}

fn model_answer(answers: &AnswersFile, which: Which, row: usize) -> anyhow::Result<ModelAnswer> {
    let Answer { text, action_log_probs, loss_sum, target_tokens, .. } =
        answer(answers, which, Part::Judged, row)?;
    let cosine = match answers.get(Key::Cosine(which, row)) {
        Some(Line::Cosine(cosine)) => cosine.cosine,
        _ => None,
    };
    Ok(ModelAnswer {
        text: text.clone(),
        parsed: parse_answer(text),
        action_log_probs: Some(*action_log_probs),
        loss_sum: loss_sum.context("an answer without its loss")?,
        target_tokens: target_tokens.context("an answer without its loss")?,
        reasoning_cosine: cosine,
    })
}

fn answer(answers: &AnswersFile, which: Which, part: Part, row: usize) -> anyhow::Result<&Answer> {
    match answers.get(Key::Answer(which, part, row)) {
        Some(Line::Answer(answer)) => Ok(answer),
        _ => anyhow::bail!("row {row} has no answer of the {} model", which.as_str()),
    }
}
