use eval_metrics::MetricError;
use eval_metrics::classification::{
    ClassScores, ClassificationReport, ConfusionMatrix, classification_report,
};
use serde::Serialize;
use thesis_core::Action;

use crate::dates::{Dates, Part};
use crate::{Estimate, EvaluatedRow, ModelAnswer, StudyError};

/// Columns of a confusion matrix: the five actions, then no action.
const COLUMNS: usize = Action::ALL.len() + 1;

/// Answers by label (rows) and action read (columns), both in the order of [`Action::ALL`]; the last
/// column is that of answers without an action.
pub type CallCounts = [[u64; COLUMNS]; Action::ALL.len()];

/// Calls against labels. An answer without an action is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallJudgement {
    /// The counts behind it all.
    pub confusion: CallCounts,
    /// The share of answers whose action is the label.
    pub accuracy: Estimate,
    /// The share of answers whose action has the direction of the label: both buys are one, and so
    /// are both sells.
    pub direction_accuracy: Estimate,
    /// The mean F1 of the classes that occur among the labels; of one that is never predicted it is
    /// 0. scikit-learn's `f1_score(labels=…, average="macro", zero_division=0)` with these labels.
    pub macro_f1: Estimate,
    /// The mean recall of the classes that occur among the labels.
    pub balanced_accuracy: Estimate,
    /// The mean F1 weighted by labels.
    pub weighted_f1: f64,
    /// The Matthews correlation, with no action as a class of its own; `None` where labels or calls
    /// are all the same.
    pub matthews_correlation: Option<f64>,
    /// Cohen's kappa, likewise; `None` where both are all the same.
    pub cohen_kappa: Option<f64>,
    /// Precision, recall and F1 of each action, in the order of [`Action::ALL`]; 0 where a division
    /// would be by 0.
    pub classes: Vec<ClassScores>,
    /// Answers without an action.
    pub without_action: u64,
}

pub(crate) fn judge_calls(
    rows: &[&EvaluatedRow],
    answers: &[&ModelAnswer],
    dates: &Dates,
) -> Result<CallJudgement, StudyError> {
    let by_date = counts_by_date(rows, answers, dates);
    let confusion = sum(&mut by_date.iter());
    let report = report(rows, answers)
        .map_err(|source| StudyError::Metric { what: "the report of calls", source })?;
    let total = rows.len() as u64;
    let of_counts = |statistic: fn(&CallCounts) -> Option<f64>| {
        dates.of_dates(&by_date, total, None, |drawn| statistic(&sum(drawn)))
    };
    let needed = |estimate: Option<Estimate>| estimate.ok_or(StudyError::NoRows);
    Ok(CallJudgement {
        confusion,
        accuracy: needed(dates.share(&right_parts(rows, answers), None))?,
        direction_accuracy: needed(dates.share(&direction_parts(rows, answers), None))?,
        macro_f1: needed(of_counts(macro_f1))?,
        balanced_accuracy: needed(of_counts(balanced_accuracy))?,
        weighted_f1: report.weighted_average.f1,
        matthews_correlation: report.matthews_correlation,
        cohen_kappa: report.cohen_kappa,
        classes: report.classes.into_iter().take(Action::ALL.len()).collect(),
        without_action: confusion.iter().map(|row| row[COLUMNS - 1]).sum(),
    })
}

/// Answers by label and action, of each date.
pub(crate) fn counts_by_date(
    rows: &[&EvaluatedRow],
    answers: &[&ModelAnswer],
    dates: &Dates,
) -> Vec<CallCounts> {
    let mut counts = vec![CallCounts::default(); dates.count()];
    for (index, (row, answer)) in rows.iter().zip(answers).enumerate() {
        counts[dates.place(index)][row.label.index()][column(answer)] += 1;
    }
    counts
}

pub(crate) fn sum(counts: &mut dyn Iterator<Item = &CallCounts>) -> CallCounts {
    let mut all = CallCounts::default();
    for counts in counts {
        for (all, count) in all.iter_mut().flatten().zip(counts.iter().flatten()) {
            *all += count;
        }
    }
    all
}

/// `None` without a row.
pub(crate) fn macro_f1(counts: &CallCounts) -> Option<f64> {
    mean_of_classes(counts, |class, support| {
        let predicted: u64 = counts.iter().map(|row| row[class]).sum();
        2.0 * counts[class][class] as f64 / (support + predicted) as f64
    })
}

/// `None` without a row.
pub(crate) fn balanced_accuracy(counts: &CallCounts) -> Option<f64> {
    mean_of_classes(counts, |class, support| counts[class][class] as f64 / support as f64)
}

/// One a row, 1 where the answer's action is the label.
pub(crate) fn right(rows: &[&EvaluatedRow], answers: &[&ModelAnswer]) -> Vec<bool> {
    rows.iter().zip(answers).map(|(row, a)| a.parsed.action == Some(row.label)).collect()
}

pub(crate) fn right_parts(rows: &[&EvaluatedRow], answers: &[&ModelAnswer]) -> Vec<Part> {
    right(rows, answers).into_iter().map(|right| (f64::from(right), 1.0)).collect()
}

fn direction_parts(rows: &[&EvaluatedRow], answers: &[&ModelAnswer]) -> Vec<Part> {
    let has_direction = |(row, answer): (&&EvaluatedRow, &&ModelAnswer)| {
        answer.parsed.action.map(Action::polarity) == Some(row.label.polarity())
    };
    rows.iter().zip(answers).map(|pair| (f64::from(has_direction(pair)), 1.0)).collect()
}

fn mean_of_classes(counts: &CallCounts, score: impl Fn(usize, u64) -> f64) -> Option<f64> {
    let (mut total, mut classes) = (0.0, 0);
    for (class, row) in counts.iter().enumerate() {
        let support: u64 = row.iter().sum();
        if support > 0 {
            total += score(class, support);
            classes += 1;
        }
    }
    (classes > 0).then(|| total / f64::from(classes))
}

fn report(
    rows: &[&EvaluatedRow],
    answers: &[&ModelAnswer],
) -> Result<ClassificationReport, MetricError> {
    let labels: Vec<usize> = rows.iter().map(|row| row.label.index()).collect();
    let columns: Vec<usize> = answers.iter().map(|answer| column(answer)).collect();
    let names: Vec<&str> = Action::ALL.into_iter().map(Action::as_str).chain(["none"]).collect();
    classification_report(&ConfusionMatrix::new(&labels, &columns, COLUMNS)?, &names)
}

fn column(answer: &ModelAnswer) -> usize {
    answer.parsed.action.map_or(COLUMNS - 1, Action::index)
}
