use crate::{EvaluatedRow, ModelAnswer, StudyError};

/// Refuses rows that do not fit together, and numbers that are none.
pub(crate) fn check_rows(rows: &[EvaluatedRow], windows: usize) -> Result<(), StudyError> {
    let Some(first) = rows.first() else { return Err(StudyError::NoRows) };
    for row in rows {
        let uid = || row.uid.clone();
        let got = row.forward_returns.len();
        if got != windows {
            return Err(StudyError::Windows { uid: uid(), windows, got });
        }
        if row.base.is_some() != first.base.is_some() {
            let without = if row.base.is_none() { row } else { first };
            return Err(StudyError::Base { uid: without.uid.clone() });
        }
        if let Some(value) = row.forward_returns.iter().find(|value| value.is_infinite()) {
            return Err(StudyError::NotFinite {
                uid: uid(),
                what: "a forward return",
                value: *value,
            });
        }
        for answer in std::iter::once(&row.tuned).chain(&row.base) {
            if let Some((what, value)) = bad_number(answer) {
                return Err(StudyError::NotFinite { uid: uid(), what, value });
            }
        }
    }
    Ok(())
}

fn bad_number(answer: &ModelAnswer) -> Option<(&'static str, f64)> {
    let bad = |what, value: f64| (!value.is_finite()).then_some((what, value));
    let log_probs = answer.action_log_probs.unwrap_or_default();
    let highest = log_probs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let of_actions = log_probs.into_iter().find(|value| value.is_nan()).unwrap_or(highest);
    bad("the loss", answer.loss_sum)
        .or_else(|| bad("the cosine of the reasoning", answer.reasoning_cosine.unwrap_or_default()))
        .or_else(|| bad("the logarithm of an action's probability", of_actions))
}
