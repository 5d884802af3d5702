use eval_metrics::MetricError;
use eval_metrics::calibration::{
    Bins, ReliabilityBin, TemperatureBound, TemperatureFit, brier_score_multiclass,
    expected_calibration_error, log_loss_multiclass, maximum_calibration_error, reliability_table,
    temperature, top_class_confidences,
};
use serde::Serialize;
use thesis_core::Action;

use crate::dates::{Dates, Part, parts};
use crate::probabilities::{action_probabilities, finite_log_probs};
use crate::{Estimate, EvaluatedRow, ModelAnswer, StudyError, StudySettings};

/// How far a model's probabilities of the five actions can be taken at their word.
///
/// They are the model's own at the action's position, divided by their sum over the five. The
/// confidence of a row is the highest of them, and right is where that action is the label; it need
/// not be the action that was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationJudgement {
    /// Rows with probabilities.
    pub rows: u64,
    /// Rows without.
    pub without_probabilities: u64,
    /// The share of answers with probabilities and an action whose action is the most probable one.
    pub agreement: Option<f64>,
    /// The temperature, fitted on the validation split alone; `None` where there was none.
    pub temperature: Option<FittedTemperature>,
    /// Probabilities as they are.
    pub before: CalibrationScores,
    /// Probabilities after the temperature.
    pub after: Option<CalibrationScores>,
}

/// A temperature and the rows that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FittedTemperature {
    /// What logarithms are divided by.
    pub temperature: f64,
    /// The end of its range that it was held at, if it was.
    pub bound: Option<TemperatureBound>,
    /// Rows that it was fitted on.
    pub rows: u64,
    /// Their mean −ln p of the label before.
    pub loss_before: f64,
    /// The same after.
    pub loss_after: f64,
}

/// Figures of a set of probabilities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationScores {
    /// Mean |accuracy − mean confidence| of the bins, weighted by rows, 0 to 1. It has no interval:
    /// noise within bins makes it larger, and resampling would add to that.
    pub expected_calibration_error: f64,
    /// The largest |accuracy − mean confidence| of a bin.
    pub maximum_calibration_error: f64,
    /// Squared distances to the label, summed over the five actions: 0 to 2, and 0.8 for one fifth
    /// each.
    pub brier: Estimate,
    /// The mean −ln p of the label, in nats; ln 5 ≈ 1.609 for one fifth each.
    pub log_loss: Estimate,
    /// The mean confidence.
    pub mean_confidence: Estimate,
    /// The share of rows whose most probable action is the label.
    pub accuracy: Estimate,
    /// Bins of equal width from 0 to 1.
    pub reliability: Vec<ReliabilityBin>,
}

/// `None` where no row has probabilities.
pub(crate) fn judge_calibration(
    rows: &[&EvaluatedRow],
    answers: &[&ModelAnswer],
    fit: Option<FittedTemperature>,
    dates: &Dates,
    settings: &StudySettings,
) -> Result<Option<CalibrationJudgement>, StudyError> {
    let at = |temperature| scores(rows, answers, temperature, dates, settings);
    let failed = |source| StudyError::Metric { what: "calibration", source };
    let Some(before) = at(1.0).map_err(failed)? else { return Ok(None) };
    let after = match fit {
        Some(fit) => at(fit.temperature).map_err(failed)?,
        None => None,
    };
    let known = answers.iter().filter(|answer| answer.action_log_probs.is_some()).count();
    Ok(Some(CalibrationJudgement {
        rows: known as u64,
        without_probabilities: (answers.len() - known) as u64,
        agreement: agreement(answers),
        temperature: fit,
        before,
        after,
    }))
}

/// The temperature of labels and logarithms; `None` where no row has any.
pub(crate) fn fit_temperature(
    rows: impl Iterator<Item = (Action, Option<[f64; 5]>)>,
) -> Option<FittedTemperature> {
    let known = rows.filter_map(|(label, z)| Some((finite_log_probs(&z?)?, label.index())));
    let (log_probs, labels): (Vec<[f64; 5]>, Vec<usize>) = known.unzip();
    let TemperatureFit { temperature, loss_before, loss_after, bound } =
        temperature(&log_probs, &labels).ok()?;
    let rows = labels.len() as u64;
    Some(FittedTemperature { temperature, bound, rows, loss_before, loss_after })
}

/// The Brier score of each row, for means.
pub(crate) fn brier_parts(
    rows: &[&EvaluatedRow],
    answers: &[&ModelAnswer],
    temperature: f64,
) -> Vec<Part> {
    let score = |(row, answer): (&&EvaluatedRow, &&ModelAnswer)| {
        let p = action_probabilities(&answer.action_log_probs?, temperature)?;
        brier_score_multiclass(&[p], &[row.label.index()]).ok()
    };
    parts(&rows.iter().zip(answers).map(score).collect::<Vec<_>>())
}

fn scores(
    rows: &[&EvaluatedRow],
    answers: &[&ModelAnswer],
    temperature: f64,
    dates: &Dates,
    settings: &StudySettings,
) -> Result<Option<CalibrationScores>, MetricError> {
    let probabilities: Vec<Option<[f64; 5]>> = answers
        .iter()
        .map(|answer| action_probabilities(&answer.action_log_probs?, temperature))
        .collect();
    let known = || probabilities.iter().zip(rows).filter_map(|(p, row)| Some((*p)?).zip(Some(row)));
    let (distributions, labels): (Vec<[f64; 5]>, Vec<usize>) =
        known().map(|(p, row)| (p, row.label.index())).unzip();
    if labels.is_empty() {
        return Ok(None);
    }
    let (confidences, right) = top_class_confidences(&distributions, &labels)?;
    let mean_of = |values: &mut dyn Iterator<Item = f64>| {
        let spread: Vec<Option<f64>> =
            probabilities.iter().map(|p| p.and_then(|_| values.next())).collect();
        dates.mean(&spread, None).ok_or(MetricError::TooFew { needed: 1, got: 0 })
    };
    let losses: Vec<f64> = distributions
        .iter()
        .zip(&labels)
        .map(|(p, label)| log_loss_multiclass(&[p], &[*label]))
        .collect::<Result<_, _>>()?;
    let briers: Vec<f64> = distributions
        .iter()
        .zip(&labels)
        .map(|(p, label)| brier_score_multiclass(&[p], &[*label]))
        .collect::<Result<_, _>>()?;
    let bins = Bins::EqualWidth(settings.bins);
    Ok(Some(CalibrationScores {
        expected_calibration_error: expected_calibration_error(&confidences, &right, bins)?,
        maximum_calibration_error: maximum_calibration_error(&confidences, &right, bins)?,
        brier: mean_of(&mut briers.into_iter())?,
        log_loss: mean_of(&mut losses.into_iter())?,
        mean_confidence: mean_of(&mut confidences.iter().copied())?,
        accuracy: mean_of(&mut right.iter().map(|right| f64::from(*right)))?,
        reliability: reliability_table(&confidences, &right, bins)?,
    }))
}

fn agreement(answers: &[&ModelAnswer]) -> Option<f64> {
    let (mut same, mut both) = (0_u64, 0_u64);
    for answer in answers {
        let top = answer.action_log_probs.and_then(|z| action_probabilities(&z, 1.0));
        let (Some(action), Some(top)) = (answer.parsed.action, top) else { continue };
        both += 1;
        same += u64::from(top.iter().all(|p| *p <= top[action.index()]));
    }
    (both > 0).then(|| same as f64 / both as f64)
}
