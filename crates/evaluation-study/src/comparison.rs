use std::collections::BTreeMap;

use eval_metrics::significance::{
    DieboldMariano, LagWindow, McNemar, TestResult, diebold_mariano, mcnemar, paired_t,
};
use serde::Serialize;

use crate::calibration::{FittedTemperature, brier_parts};
use crate::calls::{
    CallCounts, balanced_accuracy, counts_by_date, macro_f1, right, right_parts, sum,
};
use crate::dates::{Dates, NO_PART, Part, parts};
use crate::judgement::{Material, temperature_or_one};
use crate::language_loss::loss_parts;
use crate::outcomes::valid_parts;
use crate::texts::rouge_l_parts;
use crate::windows::{call_part, hit_part};
use crate::{Estimate, ModelAnswer, StudyError};

/// The tuned model against the base model, on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// McNemar's test of accuracy, the tuned model being the first. It takes rows for independent.
    pub mcnemar: McNemar,
    /// Whether their losses differ; `None` where nothing was scored.
    pub loss: Option<LossTest>,
    /// Tuned minus base, figure by figure. Both are taken of the same dates in each replicate.
    pub differences: Vec<Difference>,
}

/// Tests of the loss a token, tuned minus base: below 0 where the tuned model is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LossTest {
    /// Diebold and Mariano's of each date's mean of rows, in the order of dates, with a Bartlett lag
    /// window as long as the intervals' blocks; `None` for fewer than two dates, or where all differ
    /// by the same amount that is not 0.
    pub diebold_mariano: Option<TestResult>,
    /// Dates.
    pub dates: u64,
    /// Dates that the lag window spans.
    pub horizon: u64,
    /// The paired t-test of rows, which takes them for independent; `None` likewise.
    pub paired_t: Option<TestResult>,
    /// Rows.
    pub rows: u64,
}

/// One figure of both models.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Which figure.
    pub figure: Figure,
    /// The tuned model's minus the base model's.
    pub difference: Estimate,
}

/// A figure that both models have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "name", content = "sessions")]
#[non_exhaustive]
pub enum Figure {
    /// The share of answers whose action is the label.
    Accuracy,
    /// The mean F1 of the classes.
    MacroF1,
    /// Their mean recall.
    BalancedAccuracy,
    /// The share of valid answers.
    TagValidity,
    /// Nats a target token; less is better.
    Loss,
    /// The Brier score, after each model's temperature where it has one, of rows where both have
    /// probabilities; less is better.
    Brier,
    /// ROUGE-L of the reasoning.
    RougeL,
    /// The cosine of the reasoning, of rows where both have one.
    ReasoningCosine,
    /// The hit rate of the window of so many sessions.
    HitRate(u32),
    /// The mean return of calls of the window of so many sessions.
    CallReturn(u32),
}

impl Figure {
    /// Whether less of it is better.
    pub const fn less_is_better(self) -> bool {
        matches!(self, Self::Loss | Self::Brier)
    }
}

/// A model's answers and its temperature.
pub(crate) struct Side<'a> {
    pub(crate) answers: &'a [&'a ModelAnswer],
    pub(crate) fit: Option<FittedTemperature>,
}

pub(crate) fn compare(
    tuned: &Side<'_>,
    base: &Side<'_>,
    material: &Material<'_>,
) -> Result<Comparison, StudyError> {
    let (rows, dates) = (material.rows, material.dates);
    let mcnemar = mcnemar(&right(rows, tuned.answers), &right(rows, base.answers))
        .map_err(|source| StudyError::Metric { what: "McNemar's test", source })?;
    let mut differences = Vec::new();
    let mut add = |figure, difference: Option<Estimate>| {
        differences.extend(difference.map(|difference| Difference { figure, difference }));
    };
    let of =
        |part: &dyn Fn(&Side<'_>) -> Vec<Part>| dates.difference(&part(tuned), &part(base), None);
    let both = |part: &dyn Fn(&Side<'_>) -> Vec<Part>| {
        let (left, right) = where_both(part(tuned), part(base));
        dates.difference(&left, &right, None)
    };
    let counts = |statistic| of_counts(tuned, base, material, statistic);
    add(Figure::Accuracy, of(&|side| right_parts(rows, side.answers)));
    add(Figure::MacroF1, counts(macro_f1));
    add(Figure::BalancedAccuracy, counts(balanced_accuracy));
    add(Figure::TagValidity, of(&|side| valid_parts(side.answers)));
    add(Figure::Loss, both(&|side| loss_parts(side.answers)));
    add(Figure::Brier, both(&|side| brier_parts(rows, side.answers, temperature_or_one(side.fit))));
    add(Figure::RougeL, of(&|side| rouge_l_parts(material.references, side.answers)));
    add(Figure::ReasoningCosine, both(&|side| cosine_parts(side.answers)));
    for (sessions, returns) in material.settings.forward_windows.iter().zip(material.returns) {
        let calls = |part: fn(_, f64, f64) -> Part| {
            let parts = |side: &Side<'_>| -> Vec<Part> {
                let pairs = side.answers.iter().zip(returns);
                pairs
                    .map(|(a, r)| if r.is_nan() { NO_PART } else { part(a.parsed.action, *r, 0.0) })
                    .collect()
            };
            dates.difference(&parts(tuned), &parts(base), Some(*sessions))
        };
        add(Figure::HitRate(*sessions), calls(hit_part));
        add(Figure::CallReturn(*sessions), calls(call_part));
    }
    Ok(Comparison { mcnemar, loss: loss_test(tuned, base, dates), differences })
}

fn of_counts(
    tuned: &Side<'_>,
    base: &Side<'_>,
    material: &Material<'_>,
    statistic: fn(&CallCounts) -> Option<f64>,
) -> Option<Estimate> {
    let counts = |side: &Side<'_>| counts_by_date(material.rows, side.answers, material.dates);
    let pairs: Vec<(CallCounts, CallCounts)> =
        counts(tuned).into_iter().zip(counts(base)).collect();
    material.dates.of_dates(&pairs, material.rows.len() as u64, None, |drawn| {
        let drawn: Vec<_> = drawn.collect();
        let tuned = sum(&mut drawn.iter().map(|pair| &pair.0));
        let base = sum(&mut drawn.iter().map(|pair| &pair.1));
        Some(statistic(&tuned)? - statistic(&base)?)
    })
}

fn loss_test(tuned: &Side<'_>, base: &Side<'_>, dates: &Dates) -> Option<LossTest> {
    let (tuned, base) = where_both(loss_parts(tuned.answers), loss_parts(base.answers));
    let mut by_date: BTreeMap<usize, Part> = BTreeMap::new();
    let (mut of_tuned, mut of_base) = (Vec::new(), Vec::new());
    for (row, (tuned, base)) in tuned.iter().zip(&base).enumerate() {
        if *tuned != NO_PART {
            let (tuned, base) = (tuned.0 / tuned.1, base.0 / base.1);
            let sum = by_date.entry(dates.place(row)).or_insert(NO_PART);
            *sum = (sum.0 + tuned - base, sum.1 + 1.0);
            of_tuned.push(tuned);
            of_base.push(base);
        }
    }
    let means: Vec<f64> = by_date.values().map(|(sum, count)| sum / count).collect();
    if means.is_empty() {
        return None;
    }
    let horizon = dates.block(means.len(), None);
    let test =
        DieboldMariano { horizon, kernel: LagWindow::Bartlett, small_sample_correction: true };
    let are_equal = of_tuned == of_base;
    let or_equal = |found: Option<TestResult>| if are_equal { Some(NO_DIFFERENCE) } else { found };
    Some(LossTest {
        diebold_mariano: or_equal(diebold_mariano(&means, &test).ok()),
        dates: means.len() as u64,
        horizon: horizon as u64,
        paired_t: or_equal(paired_t(&of_tuned, &of_base).ok()),
        rows: of_tuned.len() as u64,
    })
}

/// What a test says of equal losses.
const NO_DIFFERENCE: TestResult =
    TestResult { statistic: 0.0, p_value: 1.0, p_less: 0.5, p_greater: 0.5 };

/// Leaves out the rows that do not count on one side.
fn where_both(left: Vec<Part>, right: Vec<Part>) -> (Vec<Part>, Vec<Part>) {
    let pairs = left.into_iter().zip(right);
    let pairs =
        pairs.map(
            |(left, right)| {
                if left.1 == 0.0 || right.1 == 0.0 { (NO_PART, NO_PART) } else { (left, right) }
            },
        );
    pairs.unzip()
}

fn cosine_parts(answers: &[&ModelAnswer]) -> Vec<Part> {
    parts(&answers.iter().map(|answer| answer.reasoning_cosine).collect::<Vec<_>>())
}
