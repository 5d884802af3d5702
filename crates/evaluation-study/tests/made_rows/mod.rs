//! Rows for tests.

use evaluation_study::{EvaluatedRow, ModelAnswer};
use thesis_core::{Action, AsOfDate, Ticker, parse_answer};

/// An answer with this action between its tags.
pub(crate) fn answer(action: Action) -> ModelAnswer {
    answer_of(&format!("<reasoning>a b</reasoning><support>c</support><action>{action}</action>"))
}

pub(crate) fn answer_of(text: &str) -> ModelAnswer {
    ModelAnswer {
        text: text.to_owned(),
        parsed: parse_answer(text),
        action_log_probs: None,
        loss_sum: 10.0,
        target_tokens: 10,
        reasoning_cosine: None,
    }
}

pub(crate) fn row(
    uid: &str,
    date: &str,
    label: Action,
    forward_returns: &[f64],
    tuned: ModelAnswer,
) -> EvaluatedRow {
    EvaluatedRow {
        uid: uid.to_owned(),
        ticker: Ticker::new("AAA").expect("a ticker"),
        as_of_date: AsOfDate::parse(date).expect("a date"),
        label,
        reference: answer(label).text,
        forward_returns: forward_returns.to_vec(),
        tuned,
        base: None,
    }
}
