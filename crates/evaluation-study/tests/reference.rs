//! A study of 40 made-up rows against scikit-learn, SciPy, statsmodels, sacrebleu and rouge-score: see
//! `make_evaluation_study.py` in `fixtures/metrics`.

use std::path::Path;

use evaluation_study::{
    BootstrapSettings, CalibrationScores, Estimate, EvaluatedRow, EvaluationStudy, Figure,
    InformationJudgement, ModelAnswer, ModelJudgement, StudySettings, ValidationRow,
    WindowJudgement, study,
};
use serde_json::Value;
use thesis_core::{AnswerOutcome, AsOfDate, Ticker, parse_answer};

#[test]
fn figures_are_those_of_other_programs() {
    let (fixture, study) = fixture_and_study(200);
    let want = &fixture["want"];
    check_model(&study.tuned, &want["tuned"]);
    check_model(study.base.as_ref().expect("a base model"), &want["base"]);
    for (window, want) in study.label_windows.iter().zip(list(&want["labels"])) {
        check_window(window, want);
    }
    let (found, want) = (study.comparison.expect("a comparison"), &want["comparison"]);
    let test = found.mcnemar;
    let table = [[test.both, test.first_only], [test.second_only, test.neither]];
    assert_eq!(serde_json::to_value(table).unwrap(), want["table"]);
    near("exact", test.exact_p_value, &want["exact"]);
    near("corrected", test.corrected_p_value, &want["corrected"]);
    let loss = found.loss.expect("losses");
    assert_eq!(loss.horizon, want["horizon"]);
    near("dm", loss.diebold_mariano.expect("a test").statistic, &want["dm"]);
    near("dm_p", loss.diebold_mariano.expect("a test").p_value, &want["dm_p"]);
    near("paired_t", loss.paired_t.expect("a test").statistic, &want["paired_t"]);
    near("accuracy", found.differences[0].difference.value, &want["accuracy"]);
}

#[test]
fn intervals_are_those_of_another_bootstrap_up_to_chance() {
    let (fixture, study) = fixture_and_study(10_000);
    let want = &fixture["want"]["intervals"];
    let comparison = study.comparison.expect("a comparison");
    assert_eq!(comparison.differences[0].figure, Figure::Accuracy);
    let calls = study.tuned.windows[1].call_return.expect("a mean");
    let table = [
        ("accuracy", study.tuned.calls.accuracy),
        ("accuracy_difference", comparison.differences[0].difference),
        ("loss", study.tuned.language.expect("losses").loss),
        ("call_return", calls),
    ];
    for (name, found) in table {
        let want = &want[name];
        assert_eq!(
            (&want["block"], &want["dates"]),
            (&found.block_dates.into(), &found.dates.into())
        );
        let Estimate {
            lower: Some(lower), upper: Some(upper), standard_error: Some(error), ..
        } = found
        else {
            panic!("{name} has no interval")
        };
        let ends: Vec<f64> = serde_json::from_value(want["ends"].clone()).expect("two ends");
        let close = |found: f64, want: f64| assert!((found - want).abs() < 0.12 * error, "{name}");
        close(lower, ends[0]);
        close(upper, ends[1]);
        let ratio = error / want["standard_error"].as_f64().expect("a number");
        assert!((ratio - 1.0).abs() < 0.03, "{name}: {ratio}");
    }
}

fn check_model(found: &ModelJudgement, want: &Value) {
    let language = found.language.expect("losses");
    near("loss", language.loss.value, &want["loss"]);
    near("perplexity", language.perplexity.value, &want["perplexity"]);
    near("valid", found.tags.valid.value, &want["valid"]);
    let calls = &found.calls;
    near("accuracy", calls.accuracy.value, &want["accuracy"]);
    near("macro_f1", calls.macro_f1.value, &want["macro_f1"]);
    near("balanced", calls.balanced_accuracy.value, &want["balanced_accuracy"]);
    near("direction", calls.direction_accuracy.value, &want["direction_accuracy"]);
    near("matthews", calls.matthews_correlation.expect("a number"), &want["matthews"]);
    near("kappa", calls.cohen_kappa.expect("a number"), &want["kappa"]);
    assert_eq!(serde_json::to_value(calls.confusion).expect("JSON"), want["confusion"]);
    for (class, want) in calls.classes.iter().zip(list(&want["classes"])) {
        near("precision", class.precision, &want[0]);
        near("recall", class.recall, &want[1]);
        near("f1", class.f1, &want[2]);
    }
    let calibration = found.calibration.as_ref().expect("probabilities");
    let temperature = calibration.temperature.expect("a temperature").temperature;
    near("temperature", temperature, &want["temperature"]);
    check_calibration(&calibration.before, &want["before"]);
    check_calibration(calibration.after.as_ref().expect("a temperature"), &want["after"]);
    let reasoning = found.texts.reasoning.as_ref().expect("reasonings");
    near("bleu", reasoning.bleu.score, &want["texts"]["bleu"]);
    near("chrf", reasoning.chrf, &want["texts"]["chrf"]);
    near("rouge 1", reasoning.rouge_1.value, &want["texts"]["rouge"][0]);
    near("rouge 2", reasoning.rouge_2.value, &want["texts"]["rouge"][1]);
    near("rouge l", reasoning.rouge_l.value, &want["texts"]["rouge"][2]);
    near("cosine", found.texts.reasoning_cosine.expect("cosines").value, &want["texts"]["cosine"]);
    for (window, want) in found.windows.iter().zip(list(&want["windows"])) {
        check_window(window, want);
        check_information(&window.expected_information, &want["expected_ic"]);
    }
}

fn check_calibration(found: &CalibrationScores, want: &Value) {
    near("ece", found.expected_calibration_error, &want["ece"]);
    near("brier", found.brier.value, &want["brier"]);
    near("log loss", found.log_loss.value, &want["log_loss"]);
    near("top accuracy", found.accuracy.value, &want["accuracy"]);
    near("confidence", found.mean_confidence.value, &want["mean_confidence"]);
}

fn check_window(found: &WindowJudgement, want: &Value) {
    let counts = [found.known, found.unknown, found.judged, found.hits];
    let wanted = ["known", "unknown", "judged", "hits"].map(|name| want[name].as_u64());
    assert_eq!(counts.map(Some), wanted);
    near("direction", found.direction.expect("a share").value, &want["direction"]);
    near("call return", found.call_return.expect("a mean").value, &want["call_return"]);
    let hit_rate = found.hit_rate.expect("a share").value;
    assert!((hit_rate - found.hits as f64 / found.judged as f64).abs() < 1e-15);
    for (action, want) in found.actions.iter().zip(list(&want["mean_by_action"])) {
        assert_eq!(want[0], action.returns.count);
        assert_eq!(action.estimate.is_some(), !want[1].is_null());
        if let Some(estimate) = action.estimate {
            near("mean of action", estimate.value, &want[1]);
        }
    }
    check_information(&found.action_information, &want["action_ic"]);
}

fn check_information(found: &Option<InformationJudgement>, want: &Value) {
    let found = found.as_ref().expect("coefficients");
    assert_eq!(want["rows"], found.rows);
    near("pooled", found.pooled.expect("a coefficient").value, &want["pooled"]);
    near("pooled p", found.pooled_p_value.expect("a p-value"), &want["p_value"]);
    let months = want["months"].as_object().expect("months");
    assert_eq!(found.months.len(), months.len());
    for month in &found.months {
        near(&month.month, month.coefficient, &months[&month.month]);
    }
    near("month mean", found.month_mean.expect("months"), &want["mean"]);
    near("month t", found.month_t_statistic.expect("months"), &want["t"]);
}

fn fixture_and_study(replicates: usize) -> (Value, EvaluationStudy) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/metrics/evaluation_study.json");
    let text = std::fs::read_to_string(path).expect("a fixture");
    let fixture: Value = serde_json::from_str(&text).expect("JSON");
    let rows: Vec<EvaluatedRow> = list(&fixture["rows"]).iter().map(row).collect();
    let validation = |row: &Value| ValidationRow {
        label: string(&row["label"]).parse().expect("an action"),
        tuned: log_probs(&row["tuned"]),
        base: log_probs(&row["base"]),
    };
    let validation: Vec<ValidationRow> =
        list(&fixture["validation"]).iter().map(validation).collect();
    let windows = serde_json::from_value(fixture["windows"].clone()).expect("windows");
    let bootstrap = BootstrapSettings { replicates, ..BootstrapSettings::default() };
    let settings = StudySettings { forward_windows: windows, bootstrap, ..Default::default() };
    let study = study(&rows, Some(&validation), &settings).expect("a study");
    (fixture, study)
}

fn row(row: &Value) -> EvaluatedRow {
    EvaluatedRow {
        uid: string(&row["uid"]),
        ticker: Ticker::new(&string(&row["ticker"])).expect("a ticker"),
        as_of_date: AsOfDate::parse(&string(&row["as_of_date"])).expect("a date"),
        label: string(&row["label"]).parse().expect("an action"),
        reference: string(&row["reference"]),
        forward_returns: list(&row["forward_returns"])
            .iter()
            .map(|value| value.as_f64().unwrap_or(f64::NAN))
            .collect(),
        tuned: answer(&row["tuned"]),
        base: Some(answer(&row["base"])),
    }
}

fn answer(answer: &Value) -> ModelAnswer {
    let text = string(&answer["text"]);
    let (parsed, want) = (parse_answer(&text), &answer["parsed"]);
    assert_eq!(parsed.action.map(|action| action.as_str()), want["action"].as_str(), "{text}");
    assert_eq!(parsed.reasoning.as_deref(), want["reasoning"].as_str(), "{text}");
    assert_eq!(parsed.support.as_deref(), want["support"].as_str(), "{text}");
    assert_eq!(Some(parsed.outcome == AnswerOutcome::Valid), want["valid"].as_bool(), "{text}");
    ModelAnswer {
        text,
        parsed,
        action_log_probs: log_probs(&answer["log_probs"]),
        loss_sum: answer["loss_sum"].as_f64().expect("a number"),
        target_tokens: answer["target_tokens"].as_u64().expect("a number"),
        reasoning_cosine: answer["cosine"].as_f64(),
    }
}

fn log_probs(values: &Value) -> Option<[f64; 5]> {
    serde_json::from_value(values.clone()).expect("five numbers")
}

fn list(value: &Value) -> &[Value] {
    let list = value.as_array().expect("a list");
    assert!(!list.is_empty());
    list
}

fn string(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn near(name: &str, found: f64, want: &Value) {
    let want = want.as_f64().unwrap_or_else(|| panic!("{name} is {found}, and wanted is {want}"));
    let tolerance = 1e-9 * want.abs().max(1e-3);
    assert!((found - want).abs() <= tolerance, "{name} is {found}, and wanted is {want}");
}
