//! Calls, probabilities, texts and ranks against the values of other programs: see
//! `fixtures/metrics`, and `make_labels.py` there for the programs and their versions.

use std::path::Path;

use eval_metrics::MetricError;
use eval_metrics::calibration::{
    Bins, average_precision, brier_score, brier_score_multiclass, expected_calibration_error,
    log_loss, log_loss_multiclass, maximum_calibration_error, reliability_table, roc_auc,
};
use eval_metrics::calls::{HoldRule, action_spread, hit_rate, returns_by_action};
use eval_metrics::classification::{
    ClassificationReport, ConfusionMatrix, KappaWeights, classification_report, cohen_kappa,
    matthews_correlation,
};
use eval_metrics::ranking::{
    Coefficient, Correlation, Gain, ScoredOutcome, information_coefficients, kendall_tau_b,
    ndcg_at_k, pearson, spearman,
};
use eval_metrics::regression::{
    mean_absolute_error, mean_absolute_percentage_error, r_squared, root_mean_square_error,
    symmetric_mape,
};
use eval_metrics::text::{
    RougeScore, RougeScores, Stemming, corpus_bleu, corpus_chrf, corpus_chrf_plus_plus, rouge,
    sentence_bleu, sentence_chrf, sentence_chrf_plus_plus, tokenize_13a,
};
use serde_json::Value;
use thesis_core::Action;

/// Relative to the greater of the value and 0.001: below that the digits are rounding.
const TOLERANCE: f64 = 1e-10;

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/metrics").join(name);
    let text = std::fs::read_to_string(path).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn reference(section: &str) -> Value {
    fixture("labels_reference.json")[section].take()
}

/// The cases of a section, each with its number.
fn cases(section: &str) -> Vec<(String, Value)> {
    let Value::Array(cases) = fixture("labels.json")[section].take() else { panic!("{section}") };
    assert!(cases.len() > 5, "{section} has {} cases", cases.len());
    let named = |(index, case)| (format!("{section} {index}: {case}"), case);
    cases.into_iter().enumerate().map(named).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|v| v as usize).collect()
}

fn flags(value: &Value) -> Vec<bool> {
    value.as_array().expect("an array").iter().map(|v| v.as_bool().expect("a flag")).collect()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("an array").iter().map(|v| v.as_str().expect("a text")).collect()
}

fn check(got: f64, want: &Value, what: &str) {
    let want = want.as_f64().unwrap_or_else(|| panic!("no golden value: {what}"));
    let close = (got - want).abs() <= TOLERANCE * want.abs().max(1e-3);
    assert!(close, "{got}, where the other program says {want}: {what}");
}

/// Relative down to 1e-290. scipy has no p-value for the Spearman coefficient of two pairs.
fn check_p_value(got: f64, want: &Value, tolerance: f64, what: &str) {
    let want = if want.is_null() { 1.0 } else { want.as_f64().expect("a number") };
    let close = (got - want).abs() <= tolerance * want.max(1e-290) || tolerance.is_infinite();
    assert!(close, "p = {got:e}, where the other program says {want:e}: {what}");
}

/// A golden `null` asks for [`MetricError::Undefined`].
fn check_defined(got: Result<f64, MetricError>, want: &Value, what: &str) {
    match got {
        Ok(got) => check(got, want, what),
        Err(MetricError::Undefined { .. }) if want.is_null() => {}
        Err(error) => panic!("{error}, where the other program says {want}: {what}"),
    }
}

/// A golden `null` asks for `None`.
fn check_option(got: Option<f64>, want: &Value, what: &str) {
    match got {
        Some(got) => check(got, want, what),
        None => assert!(want.is_null(), "none, where the other program says {want}: {what}"),
    }
}

fn check_all(got: &[f64], want: &Value, what: &str) {
    let want = want.as_array().expect("an array");
    assert_eq!(got.len(), want.len(), "{what}");
    got.iter().zip(want).for_each(|(got, want)| check(*got, want, what));
}

/// A 64-bit linear congruential generator; values from 0 to 1.
fn lcg(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(next).collect()
}

fn check_sklearn_report(report: &ClassificationReport, want: &Value) {
    let check_scores = |key: &str, got: [f64; 3]| {
        for (name, got) in ["precision", "recall", "f1-score"].iter().zip(got) {
            check(got, &want[key][name], &format!("{key} {name}"));
        }
    };
    for class in &report.classes {
        check_scores(&class.label, [class.precision, class.recall, class.f1]);
        check(class.support as f64, &want[&class.label]["support"], &class.label);
    }
    let (plain, weighted) = (&report.macro_average, &report.weighted_average);
    check_scores("macro avg", [plain.precision, plain.recall, plain.f1]);
    check_scores("weighted avg", [weighted.precision, weighted.recall, weighted.f1]);
    check(report.support as f64, &want["macro avg"]["support"], "support");
    check(report.accuracy, &want["accuracy"], "accuracy");
}

#[test]
fn reference_of_five_classes() {
    let five = |values: Vec<f64>| values.into_iter().map(|u| (5.0 * u) as usize);
    let truth: Vec<usize> = five(lcg(1, 300)).collect();
    let kept = lcg(2, 300).into_iter().map(|u| u < 0.55);
    let predicted: Vec<usize> = kept
        .zip(truth.iter().zip(five(lcg(3, 300))))
        .map(|(keep, (truth, other))| if keep { *truth } else { other })
        .collect();
    let matrix = ConfusionMatrix::new(&truth, &predicted, 5).unwrap();
    let report = classification_report(&matrix, &["0", "1", "2", "3", "4"]).unwrap();
    let want = reference("classification_5class");
    check_sklearn_report(&report, &want["report"]);
    assert_eq!(serde_json::to_value(&matrix).unwrap(), want["confusion"]);
    check(report.matthews_correlation.unwrap(), &want["mcc"], "mcc");
    check(report.cohen_kappa.unwrap(), &want["kappa"], "kappa");
    check(report.quadratic_kappa.unwrap(), &want["kappa_quadratic"], "quadratic kappa");
    check(report.balanced_accuracy, &want["balanced_acc"], "balanced accuracy");
    assert!(report.absent.is_empty() && report.never_predicted.is_empty());
}

#[test]
fn reference_of_an_absent_class() {
    let matrix = ConfusionMatrix::new(&[0, 0, 1], &[0, 0, 0], 3).unwrap();
    let report = classification_report(&matrix, &["0", "1", "2"]).unwrap();
    check_sklearn_report(&report, &reference("classification_absent_class"));
    assert_eq!(report.absent, ["2"]);
    assert_eq!(report.never_predicted, ["1", "2"]);
}

#[test]
fn reference_of_calibration() {
    let p = lcg(4, 300);
    let y: Vec<bool> = lcg(5, 300).iter().zip(&p).map(|(u, p)| *u < p.powf(1.5)).collect();
    let want = reference("calibration");
    check(brier_score(&p, &y).unwrap(), &want["brier"], "brier");
    check(log_loss(&p, &y).unwrap(), &want["log_loss"], "log loss");
    check(roc_auc(&p, &y).unwrap(), &want["auc"], "auc");
    check(average_precision(&p, &y).unwrap(), &want["average_precision"], "average precision");
    for bins in [10, 15] {
        let got = expected_calibration_error(&p, &y, Bins::EqualWidth(bins)).unwrap();
        for program in ["plain", "torchmetrics"] {
            let key = format!("ece{bins}_{program}");
            check(got, &want[&key], &key);
        }
    }
    let got = maximum_calibration_error(&p, &y, Bins::EqualWidth(10)).unwrap();
    check(got, &want["mce10_torchmetrics"], "mce");
}

#[test]
fn reference_of_ranks_and_regression() {
    let a = lcg(6, 120);
    let f: Vec<f64> = a.iter().zip(lcg(7, 120)).map(|(a, u)| 0.3 * a + 0.7 * u).collect();
    let want = reference("rank");
    let check_both = |got: Correlation, key: &str| {
        check(got.coefficient, &want[key][0], key);
        check_p_value(got.p_value, &want[key][1], TOLERANCE, key);
    };
    check(pearson(&a, &f).unwrap().coefficient, &want["pearson"], "pearson");
    check_both(spearman(&a, &f).unwrap(), "spearman");
    check(kendall_tau_b(&a, &f).unwrap().coefficient, &want["kendall_b"], "kendall");

    let round = |values: &[f64]| -> Vec<f64> {
        values.iter().map(|value| (value * 10.0).round_ties_even() / 10.0).collect()
    };
    let (tied_a, tied_f) = (round(&a), round(&f));
    check_both(spearman(&tied_a, &tied_f).unwrap(), "spearman_ties");
    let kendall = kendall_tau_b(&tied_a, &tied_f).unwrap();
    check(kendall.coefficient, &want["kendall_b_ties"], "kendall with ties");

    let relevance: Vec<f64> = lcg(8, 40).iter().map(|u| (4.0 * u).floor()).collect();
    let scores = lcg(9, 40);
    let ndcg = |k, gain| ndcg_at_k(&relevance, &scores, k, gain).unwrap();
    check(ndcg(5, Gain::Linear), &want["ndcg5_linear_gain"], "ndcg@5");
    check(ndcg(10, Gain::Linear), &want["ndcg10_linear_gain"], "ndcg@10");
    check(ndcg(10, Gain::Exponential), &want["ndcg10_exp_gain"], "ndcg@10, exponential");

    check(r_squared(&a, &f).unwrap(), &want["r2"], "r2");
    check(mean_absolute_error(&a, &f).unwrap(), &want["mae"], "mae");
    check(root_mean_square_error(&a, &f).unwrap(), &want["rmse"], "rmse");
    check(mean_absolute_percentage_error(&a, &f).unwrap(), &want["mape"], "mape");
    check(symmetric_mape(&a, &f).unwrap(), &want["smape_200"], "smape");
}

#[test]
fn reference_of_texts() {
    let want = reference("text");
    let (hypotheses, references) = (strings(&want["hyps"]), strings(&want["refs"]));
    let bleu = corpus_bleu(&hypotheses, &references).unwrap();
    check(bleu.score, &want["corpus_bleu"], "bleu");
    check(bleu.brevity_penalty, &want["bp"], "brevity penalty");
    check_all(&bleu.precisions, &want["precisions"], "precisions");
    check(corpus_chrf(&hypotheses, &references).unwrap(), &want["chrf"], "chrf");
    for (index, (hypothesis, reference)) in hypotheses.iter().zip(&references).enumerate() {
        let got = sentence_bleu(hypothesis, reference).score;
        check(got, &want["sentence_bleu"][index], "sentence bleu");
        for (key, stemming) in [("rouge", Stemming::Off), ("rouge_stem", Stemming::Porter)] {
            let got = rouge(hypothesis, reference, stemming);
            for (kind, got) in
                [("rouge1", got.rouge1), ("rouge2", got.rouge2), ("rougeL", got.rouge_l)]
            {
                check_all(&parts(got), &want[key][index][kind], kind);
            }
        }
    }
}

#[test]
fn confusion_matrices_as_sklearn() {
    for (what, case) in cases("classifications") {
        let classes = case["classes"].as_u64().unwrap() as usize;
        let (truth, predicted) = (indices(&case["truth"]), indices(&case["predicted"]));
        let matrix = ConfusionMatrix::new(&truth, &predicted, classes).unwrap();
        assert_eq!(serde_json::to_value(&matrix).unwrap(), case["confusion"], "{what}");
        let labels: Vec<usize> = (0..classes).collect();
        let report = classification_report(&matrix, &labels).unwrap();
        for (class, want) in report.classes.iter().zip(case["per_class"].as_array().unwrap()) {
            let support = class.support as f64;
            check_all(&[class.precision, class.recall, class.f1, support], want, &what);
        }
        for (key, got) in [("macro", report.macro_average), ("weighted", report.weighted_average)] {
            check_all(&[got.precision, got.recall, got.f1], &case[key], &what);
        }
        check(report.accuracy, &case["accuracy"], &what);
        check(report.balanced_accuracy, &case["balanced_accuracy"], &what);
        check_defined(matthews_correlation(&matrix), &case["mcc"], &what);
        for (key, weights) in [
            ("kappa", KappaWeights::Unweighted),
            ("kappa_linear", KappaWeights::Linear),
            ("kappa_quadratic", KappaWeights::Quadratic),
        ] {
            check_defined(cohen_kappa(&matrix, weights), &case[key], &what);
        }
    }
}

#[test]
fn probabilities_as_sklearn() {
    for (what, case) in cases("binaries") {
        let (p, y) = (numbers(&case["probabilities"]), flags(&case["outcomes"]));
        check(brier_score(&p, &y).unwrap(), &case["brier"], &what);
        check(log_loss(&p, &y).unwrap(), &case["log_loss"], &what);
        check_defined(roc_auc(&p, &y), &case["auc"], &what);
        check_defined(average_precision(&p, &y), &case["average_precision"], &what);
        for curve in case["curves"].as_array().unwrap() {
            let bins = curve[0].as_u64().unwrap() as usize;
            for (bins, want) in
                [(Bins::EqualWidth(bins), &curve[1]), (Bins::EqualMass(bins), &curve[2])]
            {
                let what = format!("{bins:?} {what}");
                let table = reliability_table(&p, &y, bins).unwrap();
                let confidences: Vec<_> = table.iter().filter_map(|b| b.mean_confidence).collect();
                let accuracies: Vec<_> = table.iter().filter_map(|b| b.accuracy).collect();
                check_all(&confidences, &want[0], &what);
                check_all(&accuracies, &want[1], &what);
                assert_eq!(table.iter().map(|b| b.count).sum::<u64>(), p.len() as u64);
            }
        }
    }
    for (what, case) in cases("multiclass") {
        let rows: Vec<Vec<f64>> =
            case["probabilities"].as_array().unwrap().iter().map(numbers).collect();
        let truth = indices(&case["truth"]);
        check(log_loss_multiclass(&rows, &truth).unwrap(), &case["log_loss"], &what);
        check(brier_score_multiclass(&rows, &truth).unwrap(), &case["brier"], &what);
    }
}

#[test]
fn correlations_as_scipy() {
    for (what, case) in cases("correlations") {
        let (left, right) = (numbers(&case["left"]), numbers(&case["right"]));
        let check_both = |got: Result<Correlation, MetricError>, want: &Value, tolerance| {
            check_defined(got.map(|got| got.coefficient), &want[0], &what);
            if let Ok(got) = got {
                check_p_value(got.p_value, &want[1], tolerance, &what);
            }
        };
        // Near 1 Student's p-value hangs on the last bits of the coefficient.
        let student = |want: &Value| match want[0].as_f64() {
            Some(r) => TOLERANCE + 4.0 * left.len() as f64 * f64::EPSILON / (1.0 - r.abs()),
            None => TOLERANCE,
        };
        check_both(pearson(&left, &right), &case["pearson"], student(&case["pearson"]));
        check_both(spearman(&left, &right), &case["spearman"], student(&case["spearman"]));
        check_both(kendall_tau_b(&left, &right), &case["kendall"], TOLERANCE);
    }
}

#[test]
fn regressions_as_sklearn() {
    let cases = fixture("labels.json")["regressions"].take();
    for case in cases.as_array().unwrap() {
        let what = case.to_string();
        let (truth, predicted) = (numbers(&case["truth"]), numbers(&case["predicted"]));
        check(mean_absolute_error(&truth, &predicted).unwrap(), &case["mae"], &what);
        check(root_mean_square_error(&truth, &predicted).unwrap(), &case["rmse"], &what);
        let mape = mean_absolute_percentage_error(&truth, &predicted).unwrap();
        check(mape, &case["mape"], &what);
        check(symmetric_mape(&truth, &predicted).unwrap(), &case["smape"], &what);
        if truth.len() > 1 {
            check(r_squared(&truth, &predicted).unwrap(), &case["r2"], &what);
        }
    }
}

#[test]
fn rankings_as_sklearn() {
    for (what, case) in cases("rankings") {
        let (relevance, scores) = (numbers(&case["relevance"]), numbers(&case["scores"]));
        let k = case["k"].as_u64().unwrap() as usize;
        let ndcg = |gain| ndcg_at_k(&relevance, &scores, k, gain);
        check_defined(ndcg(Gain::Linear), &case["linear"], &what);
        check_defined(ndcg(Gain::Exponential), &case["exponential"], &what);
    }
}

#[test]
fn texts_as_sacrebleu_and_rouge_score() {
    for (what, case) in cases("texts") {
        let hypothesis = case["hypothesis"].as_str().unwrap();
        let reference = case["reference"].as_str().unwrap();
        assert_eq!(tokenize_13a(hypothesis), strings(&case["tokens"]), "{what}");
        check(sentence_bleu(hypothesis, reference).score, &case["bleu"], &what);
        check(sentence_chrf(hypothesis, reference), &case["chrf"], &what);
        let plus = sentence_chrf_plus_plus(hypothesis, reference);
        check(plus, &case["chrf_plus_plus"], &what);
        for (key, stemming) in [("rouge", Stemming::Off), ("rouge_stem", Stemming::Porter)] {
            let RougeScores { rouge1, rouge2, rouge_l, rouge_l_sum } =
                rouge(hypothesis, reference, stemming);
            for (index, got) in [rouge1, rouge2, rouge_l, rouge_l_sum].into_iter().enumerate() {
                check_all(&parts(got), &case[key][index], &format!("{key} {index} {what}"));
            }
        }
    }
}

#[test]
fn corpora_as_sacrebleu() {
    for (what, case) in cases("corpora") {
        let (hypotheses, references) = (strings(&case["hypotheses"]), strings(&case["references"]));
        let bleu = corpus_bleu(&hypotheses, &references).unwrap();
        check(bleu.score, &case["bleu"], &what);
        check(bleu.brevity_penalty, &case["brevity_penalty"], &what);
        check_all(&bleu.precisions, &case["precisions"], &what);
        assert_eq!(bleu.matches.map(Value::from).to_vec(), *case["matches"].as_array().unwrap());
        assert_eq!(bleu.totals.map(Value::from).to_vec(), *case["totals"].as_array().unwrap());
        let lengths = [bleu.hypothesis_tokens, bleu.reference_tokens].map(Value::from);
        assert_eq!(lengths.to_vec(), *case["lengths"].as_array().unwrap(), "{what}");
        check(corpus_chrf(&hypotheses, &references).unwrap(), &case["chrf"], &what);
        let plus = corpus_chrf_plus_plus(&hypotheses, &references).unwrap();
        check(plus, &case["chrf_plus_plus"], &what);
    }
}

#[test]
fn information_coefficients_as_pandas() {
    for (what, case) in cases("information_coefficients") {
        let row = |row: &Value| ScoredOutcome {
            period: row[0].as_u64().unwrap(),
            score: row[1].as_f64().unwrap(),
            outcome: row[2].as_f64().unwrap_or(f64::NAN),
        };
        let rows: Vec<_> = case["rows"].as_array().unwrap().iter().map(row).collect();
        for (key, kind) in [("pearson", Coefficient::Pearson), ("spearman", Coefficient::Spearman)]
        {
            let (got, want) = (information_coefficients(&rows, kind).unwrap(), &case[key]);
            assert_eq!(Value::from(got.unknown_outcomes), case["unknown"], "{what}");
            let series = || got.series.iter();
            check_all(&series().map(|p| p.coefficient).collect::<Vec<_>>(), &want["series"], &what);
            check_all(&series().map(|p| p.names as f64).collect::<Vec<_>>(), &want["names"], &what);
            let periods: Vec<f64> = series().map(|p| p.period as f64).collect();
            check_all(&periods, &want["periods"], &what);
            check_option(got.mean, &want["mean"], &what);
            check_option(got.std, &want["std"], &what);
            check_option(got.icir, &want["icir"], &what);
            check_option(got.t_statistic, &want["t"], &what);
            let names: u64 = series().map(|p| p.names).sum();
            let left_out: u64 = got.left_out.iter().map(|p| p.names).sum();
            assert_eq!(names + left_out + got.unknown_outcomes, rows.len() as u64, "{what}");
        }
    }
}

#[test]
fn calls_as_pandas() {
    for (what, case) in cases("calls") {
        let calls: Vec<Action> =
            strings(&case["calls"]).iter().map(|call| call.parse().unwrap()).collect();
        let returns = case["returns"].as_array().unwrap().iter();
        let returns: Vec<f64> = returns.map(|r| r.as_f64().unwrap_or(f64::NAN)).collect();
        let table = returns_by_action(&calls, &returns).unwrap();
        assert_eq!(Value::from(table.unknown_returns), case["unknown"], "{what}");
        for (got, want) in table.actions.iter().zip(case["table"].as_array().unwrap()) {
            assert_eq!(Value::from(got.count), want[0], "{what}");
            check_option(got.mean, &want[1], &what);
            check_option(got.std, &want[2], &what);
            check_option(got.t_statistic, &want[3], &what);
        }
        let spread = action_spread(&calls, &returns);
        check_defined(spread.map(|spread| spread.spread), &case["spread"], &what);
        if let Ok(spread) = spread {
            check_option(spread.t_statistic, &case["welch"], &what);
        }
        let plain = hit_rate(&calls, &returns, HoldRule::LeaveOut).unwrap();
        assert_eq!(Value::from(plain.hits), case["hits"], "{what}");
        assert_eq!(Value::from(plain.judged), case["judged"], "{what}");
        let band = hit_rate(&calls, &returns, HoldRule::Band(0.01)).unwrap();
        assert_eq!(Value::from(band.hits), case["hits_band"], "{what}");
        assert_eq!(Value::from(band.unknown_returns), case["unknown"], "{what}");
    }
}

fn parts(score: RougeScore) -> [f64; 3] {
    [score.precision, score.recall, score.f1]
}
