use std::collections::BTreeSet;

use serde::Serialize;
use thesis_core::{Action, AsOfDate};

use crate::calibration::fit_temperature;
use crate::check_rows::check_rows;
use crate::comparison::{Side, compare};
use crate::dates::Dates;
use crate::judgement::{Material, judge_model, judge_windows};
use crate::texts::parse_references;
use crate::warnings::warnings;
use crate::windows::{Calls, window_returns};
use crate::{
    Comparison, EvaluatedRow, ModelAnswer, ModelJudgement, StudyError, StudySettings,
    ValidationRow, Warning, WindowJudgement, WindowReturns,
};

/// All that is said about a set of answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluationStudy {
    /// Rows that were judged.
    pub rows: u64,
    /// Different as-of dates.
    pub dates: u64,
    /// Different tickers.
    pub tickers: u64,
    /// The first as-of date.
    pub first_date: AsOfDate,
    /// The last.
    pub last_date: AsOfDate,
    /// Labels, in the order of [`Action::ALL`].
    pub labels: [u64; 5],
    /// How rows were judged.
    pub settings: StudySettings,
    /// What a reader should know first.
    pub warnings: Vec<Warning>,
    /// The tuned model.
    pub tuned: ModelJudgement,
    /// The base model, where it answered too.
    pub base: Option<ModelJudgement>,
    /// Both against each other.
    pub comparison: Option<Comparison>,
    /// The forward returns of all rows, window by window.
    pub returns: Vec<WindowReturns>,
    /// The labels themselves against forward returns: what a perfect pupil of the analysts would
    /// get.
    pub label_windows: Vec<WindowJudgement>,
}

/// Judges answers. `validation` are rows of another split, on which one temperature a model is
/// fitted; without them there is none. Rows may come in any order.
///
/// # Errors
/// [`StudyError::NoRows`], settings outside of their ranges, rows that do not fit together, and
/// numbers that are none.
pub fn study(
    rows: &[EvaluatedRow],
    validation: Option<&[ValidationRow]>,
    settings: &StudySettings,
) -> Result<EvaluationStudy, StudyError> {
    settings.check()?;
    check_rows(rows, settings.forward_windows.len())?;
    let mut rows: Vec<&EvaluatedRow> = rows.iter().collect();
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
    let rows = rows.as_slice();

    let dates = Dates::of(rows, settings.bootstrap);
    let (Some(first_date), Some(last_date)) = (dates.first(), dates.last()) else {
        return Err(StudyError::NoRows);
    };
    let of_window = |window: usize| rows.iter().map(|row| row.forward_returns[window]).collect();
    let returns: Vec<Vec<f64>> = (0..settings.forward_windows.len()).map(of_window).collect();
    let references = parse_references(rows);
    let material =
        Material { rows, references: &references, returns: &returns, dates: &dates, settings };

    let mut validation: Vec<&ValidationRow> = validation.unwrap_or_default().iter().collect();
    // Sums of floats depend on their order: rows in any order are to give the same bits.
    validation.sort_by(|a, b| compare_validation(a, b));
    let tuned_answers: Vec<&ModelAnswer> = rows.iter().map(|row| &row.tuned).collect();
    let tuned = Side {
        answers: &tuned_answers,
        fit: fit_temperature(validation.iter().map(|row| (row.label, row.tuned))),
    };
    let base_answers: Option<Vec<&ModelAnswer>> =
        rows.iter().map(|row| row.base.as_ref()).collect();
    let base = base_answers.as_deref().map(|answers| Side {
        answers,
        fit: fit_temperature(validation.iter().map(|row| (row.label, row.base))),
    });
    let labels: Vec<Option<Action>> = rows.iter().map(|row| Some(row.label)).collect();
    let unknown = vec![None; rows.len()];

    let windows = settings.forward_windows.iter().zip(&returns);
    let mut study = EvaluationStudy {
        rows: rows.len() as u64,
        dates: dates.count() as u64,
        tickers: rows.iter().map(|row| &row.ticker).collect::<BTreeSet<_>>().len() as u64,
        first_date,
        last_date,
        labels: Action::ALL
            .map(|action| rows.iter().filter(|row| row.label == action).count() as u64),
        settings: settings.clone(),
        warnings: Vec::new(),
        tuned: judge_model(tuned.answers, tuned.fit, &material)?,
        base: base
            .as_ref()
            .map(|base| judge_model(base.answers, base.fit, &material))
            .transpose()?,
        comparison: base.as_ref().map(|base| compare(&tuned, base, &material)).transpose()?,
        returns: windows
            .map(|(sessions, r)| window_returns(r, *sessions, settings.flat_band, &dates))
            .collect(),
        label_windows: judge_windows(&Calls { actions: &labels, expected: &unknown }, &material)?,
    };
    study.warnings = warnings(&study, rows);
    Ok(study)
}

/// What rows are sorted by. Answers are in it for rows that have the same `uid`.
fn key(row: &EvaluatedRow) -> (AsOfDate, &str, &str, Action, &str) {
    (row.as_of_date, row.ticker.as_str(), &row.uid, row.label, &row.tuned.text)
}

fn compare_validation(left: &ValidationRow, right: &ValidationRow) -> std::cmp::Ordering {
    let values = |row: &ValidationRow| {
        let label = [row.label.index() as f64];
        let log_probs = [row.tuned, row.base].into_iter().flatten().flatten();
        label.into_iter().chain(log_probs).collect::<Vec<f64>>()
    };
    let (left, right) = (values(left), values(right));
    let differing = left.iter().zip(&right).map(|(l, r)| l.total_cmp(r)).find(|o| o.is_ne());
    differing.unwrap_or_else(|| left.len().cmp(&right.len()))
}
