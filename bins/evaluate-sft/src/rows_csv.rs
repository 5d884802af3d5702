use evaluation_study::{
    EvaluatedRow, EvaluationStudy, ModelAnswer, ModelJudgement, action_probabilities,
};
use thesis_core::Action;

/// The rows as a table, in the order of the split: what `trading-backtest` takes as calls. A field is empty where nothing is
/// known; probabilities are those of the five actions among themselves, after the temperature where there is one.
pub(crate) fn rows_csv(rows: &[EvaluatedRow], study: &EvaluationStudy) -> anyhow::Result<String> {
    let windows = &study.settings.forward_windows;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> =
        ["uid", "ticker", "as_of_date", "label"].map(str::to_owned).into();
    header.extend(of_model(""));
    header.extend(windows.iter().map(|sessions| format!("forward_{sessions}")));
    if study.base.is_some() {
        header.extend(of_model("base_"));
    }
    header.extend(["reasoning", "support"].map(str::to_owned));
    writer.write_record(&header)?;
    for row in rows {
        let mut fields = vec![
            row.uid.clone(),
            row.ticker.to_string(),
            row.as_of_date.to_string(),
            row.label.to_string(),
        ];
        fields.extend(fields_of(&row.tuned, row.label, &study.tuned));
        fields.extend(row.forward_returns.iter().map(|value| number(Some(*value))));
        if let (Some(base), Some(judgement)) = (&row.base, &study.base) {
            fields.extend(fields_of(base, row.label, judgement));
        }
        let parsed = &row.tuned.parsed;
        fields.extend(
            [parsed.reasoning.clone(), parsed.support.clone()].map(Option::unwrap_or_default),
        );
        writer.write_record(&fields)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// The columns of a model.
fn of_model(prefix: &str) -> Vec<String> {
    let before = ["pred_action", "correct", "outcome", "confidence"].map(str::to_owned);
    let actions = Action::ALL.map(|action| format!("p_{action}"));
    let after = ["loss", "perplexity", "reasoning_cosine"].map(str::to_owned);
    let names = before.into_iter().chain(actions).chain(after);
    names.map(|name| format!("{prefix}{name}")).collect()
}

fn fields_of(answer: &ModelAnswer, label: Action, judgement: &ModelJudgement) -> Vec<String> {
    let called = answer.parsed.action;
    let fitted = judgement.calibration.as_ref().and_then(|found| found.temperature);
    let temperature = fitted.map_or(1.0, |fitted| fitted.temperature);
    let probabilities =
        answer.action_log_probs.and_then(|log_probs| action_probabilities(&log_probs, temperature));
    let confidence = called.and_then(|action| Some(probabilities?[action.index()]));
    let loss = (answer.target_tokens > 0).then(|| answer.loss_sum / answer.target_tokens as f64);
    let mut fields = vec![
        called.map(|action| action.to_string()).unwrap_or_default(),
        (called == Some(label)).to_string(),
        answer.parsed.outcome.to_string(),
        number(confidence),
    ];
    fields.extend(Action::ALL.map(|action| number(probabilities.map(|p| p[action.index()]))));
    fields.extend([loss, loss.map(f64::exp), answer.reasoning_cosine].map(number));
    fields
}

/// The shortest text that reads back as the same number; nothing where there is none.
fn number(value: Option<f64>) -> String {
    value.filter(|value| !value.is_nan()).map(|value| value.to_string()).unwrap_or_default()
}
