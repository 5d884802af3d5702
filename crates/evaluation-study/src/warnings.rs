use std::collections::BTreeSet;

use thesis_core::{Action, AnswerOutcome};

use crate::{EvaluatedRow, EvaluationStudy, ModelJudgement, ModelName, Warning};

/// Fewer dates than this give too few blocks to draw from.
const FEW_DATES: u64 = 20;

/// What a reader of the study should know first; the worst of it first.
pub(crate) fn warnings(study: &EvaluationStudy, rows: &[&EvaluatedRow]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let total = study.rows;
    let models = [(ModelName::Tuned, Some(&study.tuned)), (ModelName::Base, study.base.as_ref())];
    let models = models.into_iter().filter_map(|(name, model)| Some((name, model?)));
    warnings.extend(models.clone().filter_map(|(name, model)| {
        let (action, share) = commonest_call(model)?;
        let collapsed = share >= study.settings.collapsed_share && labels_differ(study);
        collapsed.then_some(Warning::Collapsed { model: name, action, share })
    }));
    let tuned = &study.tuned;
    let valid = tuned.tags.outcomes.iter().find(|o| o.outcome == AnswerOutcome::Valid);
    let counted =
        |count: u64, warning: fn(u64, u64) -> Warning| (count > 0).then(|| warning(count, total));
    let invalid = total - valid.map_or(0, |valid| valid.count);
    warnings.extend(counted(invalid, |count, rows| Warning::InvalidTags { count, rows }));
    warnings.extend(counted(tuned.calls.without_action, |count, rows| Warning::WithoutAction {
        count,
        rows,
    }));
    warnings.extend(no_better_than_majority(study));
    warnings.extend(outside_prices(study, rows));
    warnings.extend(calibration_warnings(study));
    if study.dates < FEW_DATES {
        warnings.push(Warning::FewDates { dates: study.dates });
    }
    let absent = Action::ALL.into_iter().filter(|action| study.labels[action.index()] == 0);
    let actions: Vec<Action> = absent.collect();
    if !actions.is_empty() {
        warnings.push(Warning::AbsentLabels { actions });
    }
    let uids = rows.iter().map(|row| &row.uid).collect::<BTreeSet<_>>().len() as u64;
    if uids < total {
        warnings.push(Warning::RepeatedUids { count: total - uids });
    }
    warnings
}

/// The commonest action among the answers that have one.
fn commonest_call(model: &ModelJudgement) -> Option<(Action, f64)> {
    let of =
        |action: Action| model.calls.confusion.iter().map(|row| row[action.index()]).sum::<u64>();
    let all: u64 = Action::ALL.into_iter().map(of).sum();
    let commonest = Action::ALL.into_iter().rev().max_by_key(|action| of(*action))?;
    (all > 0).then(|| (commonest, of(commonest) as f64 / all as f64))
}

fn labels_differ(study: &EvaluationStudy) -> bool {
    study.labels.iter().filter(|count| **count > 0).count() > 1
}

fn no_better_than_majority(study: &EvaluationStudy) -> Option<Warning> {
    let commonest =
        Action::ALL.into_iter().rev().max_by_key(|action| study.labels[action.index()])?;
    let share = study.labels[commonest.index()] as f64 / study.rows as f64;
    let accuracy = study.tuned.calls.accuracy.value;
    (accuracy <= share && labels_differ(study)).then_some(Warning::NoBetterThanMajority {
        accuracy,
        action: commonest,
        share,
    })
}

fn outside_prices(study: &EvaluationStudy, rows: &[&EvaluatedRow]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let without = |row: &&&EvaluatedRow| {
        !row.forward_returns.is_empty() && row.forward_returns.iter().all(|r| r.is_nan())
    };
    let outside = rows.iter().filter(without).count() as u64;
    if outside > 0 {
        warnings.push(Warning::OutsidePrices { count: outside, rows: study.rows });
    }
    for window in &study.returns {
        if window.unknown > outside {
            warnings.push(Warning::PricesEnd {
                sessions: window.sessions,
                count: window.unknown - outside,
                rows: study.rows,
            });
        }
    }
    warnings
}

fn calibration_warnings(study: &EvaluationStudy) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let tuned = study.tuned.calibration.as_ref();
    let without = tuned.map_or(study.rows, |judged| judged.without_probabilities);
    if without > 0 {
        warnings.push(Warning::WithoutProbabilities { count: without, rows: study.rows });
    }
    if tuned.is_some_and(|judged| judged.temperature.is_none()) {
        warnings.push(Warning::NoTemperature);
    }
    let base = study.base.as_ref().and_then(|base| base.calibration.as_ref());
    for (model, judged) in [(ModelName::Tuned, tuned), (ModelName::Base, base)] {
        let Some(fit) = judged.and_then(|judged| judged.temperature) else { continue };
        if let Some(bound) = fit.bound {
            let temperature = fit.temperature;
            warnings.push(Warning::TemperatureBound { model, bound, temperature });
        }
    }
    warnings
}
