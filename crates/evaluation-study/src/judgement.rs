use serde::Serialize;
use thesis_core::{Action, ParsedAnswer};

use crate::calibration::{CalibrationJudgement, FittedTemperature, judge_calibration};
use crate::calls::{CallJudgement, judge_calls};
use crate::dates::Dates;
use crate::language_loss::{LanguageLoss, language_loss};
use crate::outcomes::{TagValidity, tag_validity};
use crate::probabilities::action_probabilities;
use crate::texts::{TextJudgement, judge_texts};
use crate::windows::{Calls, WindowJudgement, judge_window};
use crate::{EvaluatedRow, ModelAnswer, StudyError, StudySettings};

/// All that is said about one model's answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelJudgement {
    /// How likely it finds the references; `None` where nothing was scored.
    pub language: Option<LanguageLoss>,
    /// How far answers kept the grammar.
    pub tags: TagValidity,
    /// Calls against labels.
    pub calls: CallJudgement,
    /// Its probabilities; `None` where there are none.
    pub calibration: Option<CalibrationJudgement>,
    /// Texts against the references'.
    pub texts: TextJudgement,
    /// Calls against forward returns, window by window.
    pub windows: Vec<WindowJudgement>,
}

/// The rows in order, and what all judgements share.
pub(crate) struct Material<'a> {
    pub(crate) rows: &'a [&'a EvaluatedRow],
    pub(crate) references: &'a [ParsedAnswer],
    /// Of each window the return of each row.
    pub(crate) returns: &'a [Vec<f64>],
    pub(crate) dates: &'a Dates,
    pub(crate) settings: &'a StudySettings,
}

pub(crate) fn judge_model(
    answers: &[&ModelAnswer],
    fit: Option<FittedTemperature>,
    material: &Material<'_>,
) -> Result<ModelJudgement, StudyError> {
    let Material { rows, references, returns: _, dates, settings } = *material;
    let actions: Vec<Option<Action>> = answers.iter().map(|answer| answer.parsed.action).collect();
    let temperature = temperature_or_one(fit);
    let expected: Vec<Option<f64>> =
        answers.iter().map(|answer| expected_conviction(answer, temperature)).collect();
    Ok(ModelJudgement {
        language: language_loss(answers, dates),
        tags: tag_validity(answers, dates).ok_or(StudyError::NoRows)?,
        calls: judge_calls(rows, answers, dates)?,
        calibration: judge_calibration(rows, answers, fit, dates, settings)?,
        texts: judge_texts(references, answers, dates)?,
        windows: judge_windows(&Calls { actions: &actions, expected: &expected }, material)?,
    })
}

pub(crate) fn judge_windows(
    calls: &Calls<'_>,
    material: &Material<'_>,
) -> Result<Vec<WindowJudgement>, StudyError> {
    let Material { rows, references: _, returns, dates, settings } = *material;
    let windows = settings.forward_windows.iter().zip(returns);
    windows
        .map(|(sessions, returns)| {
            judge_window(rows, calls, returns, *sessions, settings.flat_band, dates)
        })
        .collect()
}

pub(crate) fn temperature_or_one(fit: Option<FittedTemperature>) -> f64 {
    fit.map_or(1.0, |fit| fit.temperature)
}

fn expected_conviction(answer: &ModelAnswer, temperature: f64) -> Option<f64> {
    let p = action_probabilities(&answer.action_log_probs?, temperature)?;
    Some(p.iter().zip(Action::ALL).map(|(p, action)| p * f64::from(action.conviction())).sum())
}
