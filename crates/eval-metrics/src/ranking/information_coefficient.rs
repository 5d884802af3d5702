use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pearson::coefficient;
use super::ranks::average_ranks;
use crate::MetricError;
use crate::sample::Sample;

/// The fewest names of a period that has a coefficient: two always give 1 or −1.
const LEAST_NAMES: usize = 3;

/// Which correlation of scores and outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coefficient {
    /// Of the values: the IC.
    Pearson,
    /// Of the ranks, ties sharing the mean of theirs: the rank IC.
    Spearman,
}

/// What was said of one name in one period, and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredOutcome<P> {
    /// The period, such as the as-of date.
    pub period: P,
    /// The score; higher is better.
    pub score: f64,
    /// The outcome, such as the forward return; NaN where it is not known.
    pub outcome: f64,
}

/// Coefficients of all periods and what they come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InformationCoefficients<P> {
    /// One entry a period that has a coefficient, in the order of periods.
    pub series: Vec<PeriodCoefficient<P>>,
    /// The mean of the series; `None` where it is empty.
    pub mean: Option<f64>,
    /// Its standard deviation (ddof 1); `None` for fewer than two periods.
    pub std: Option<f64>,
    /// The information ratio mean / std of a period, not annualized; `None` without a spread.
    pub icir: Option<f64>,
    /// ICIR · √periods, for a mean of 0. It takes periods for independent: where outcomes of
    /// successive periods overlap, it is too large.
    pub t_statistic: Option<f64>,
    /// Periods without a coefficient, in the order of periods.
    pub left_out: Vec<LeftOut<P>>,
    /// Rows left out because their outcome is NaN.
    pub unknown_outcomes: u64,
}

/// The coefficient of one period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PeriodCoefficient<P> {
    /// Which period.
    pub period: P,
    /// −1 to 1.
    pub coefficient: f64,
    /// Names with a known outcome.
    pub names: u64,
}

/// A period without a coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LeftOut<P> {
    /// Which period.
    pub period: P,
    /// Names with a known outcome.
    pub names: u64,
    /// Why it has none.
    pub reason: LeftOutReason,
}

/// Why a period has no coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeftOutReason {
    /// Fewer than three names have a known outcome.
    FewNames,
    /// All scores are equal.
    EqualScores,
    /// All outcomes are equal.
    EqualOutcomes,
    /// The values are too large for 64-bit floats.
    Overflow,
}

/// The information coefficient by period: how well the scores of each period order or scale with
/// its outcomes. Rows may come in any order. A period that has no coefficient is listed with the
/// reason and is no 0 in the mean.
///
/// # Errors
/// [`MetricError::NotFinite`] with the row's index, for a score that is not finite or an outcome
/// that is infinite. A NaN outcome is not an error: the row is left out and counted.
///
/// Source: Grinold and Kahn (2000), "Active portfolio management".
pub fn information_coefficients<P: Ord + Clone>(
    rows: &[ScoredOutcome<P>],
    kind: Coefficient,
) -> Result<InformationCoefficients<P>, MetricError> {
    let mut periods: BTreeMap<P, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    let mut unknown_outcomes = 0;
    for (index, row) in rows.iter().enumerate() {
        if !row.score.is_finite() || row.outcome.is_infinite() {
            return Err(MetricError::NotFinite { index });
        }
        let (scores, outcomes) = periods.entry(row.period.clone()).or_default();
        if row.outcome.is_nan() {
            unknown_outcomes += 1;
        } else {
            scores.push(row.score);
            outcomes.push(row.outcome);
        }
    }
    let (mut series, mut left_out) = (Vec::new(), Vec::new());
    for (period, (scores, outcomes)) in periods {
        let names = scores.len() as u64;
        match period_coefficient(&scores, &outcomes, kind) {
            Ok(coefficient) => series.push(PeriodCoefficient { period, coefficient, names }),
            Err(reason) => left_out.push(LeftOut { period, names, reason }),
        }
    }
    let coefficients: Vec<f64> = series.iter().map(|period| period.coefficient).collect();
    let Sample { mean, std, t_statistic } = Sample::of(&coefficients);
    let icir = t_statistic.map(|t| t / (coefficients.len() as f64).sqrt());
    Ok(InformationCoefficients { series, mean, std, icir, t_statistic, left_out, unknown_outcomes })
}

fn period_coefficient(
    scores: &[f64],
    outcomes: &[f64],
    kind: Coefficient,
) -> Result<f64, LeftOutReason> {
    let equal = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if scores.len() < LEAST_NAMES {
        return Err(LeftOutReason::FewNames);
    }
    if equal(scores) {
        return Err(LeftOutReason::EqualScores);
    }
    if equal(outcomes) {
        return Err(LeftOutReason::EqualOutcomes);
    }
    let coefficient = match kind {
        Coefficient::Pearson => coefficient(scores, outcomes),
        Coefficient::Spearman => coefficient(&average_ranks(scores), &average_ranks(outcomes)),
    };
    coefficient.map_err(|_| LeftOutReason::Overflow)
}
