//! Tests of significance against SciPy, dieboldmariano and the formulas of their papers.

mod returns_reference;

use eval_metrics::MetricError;
use eval_metrics::returns::PeriodsPerYear;
use eval_metrics::significance::*;
use returns_reference::{index_returns, lcg, meets, random_series, reference};
use serde_json::{Value, json};

const DAILY: PeriodsPerYear = PeriodsPerYear::DAILY;

fn check_significance(r: &[f64], b: &[f64], want: &Value) {
    let field = |test: Result<TestResult, MetricError>, field: fn(&TestResult) -> f64| {
        test.map(|result| field(&result))
    };
    let highest = expected_maximum_sharpe(0.02, 50);
    let track_record = minimum_track_record(r, 0.0, 0.0, 0.95);
    let losing = want["probabilistic_0"].as_f64().is_some_and(|probability| probability <= 0.5);
    let table = [
        ("standard_error_annual", sharpe_standard_error(r, 0.0, DAILY)),
        ("probabilistic_0", probabilistic_sharpe(r, 0.0, 0.0)),
        ("probabilistic_001", probabilistic_sharpe(r, 0.0, 0.01)),
        ("expected_maximum_std002_n50", highest),
        ("deflated_std002_n50", deflated_sharpe(r, 0.0, 0.02, 50)),
        ("paired_t_less", field(paired_t(r, b), |test| test.p_less)),
        ("paired_t_greater", field(paired_t(r, b), |test| test.p_greater)),
        ("sign_less", field(sign_test(r, b), |test| test.p_less)),
        ("sign_greater", field(sign_test(r, b), |test| test.p_greater)),
    ];
    for (name, found) in table {
        meets(name, found, &want[name]);
    }
    let two_sided = [("paired_t", paired_t(r, b)), ("sign", sign_test(r, b))];
    for (name, test) in two_sided {
        meets(name, field(test, |test| test.statistic), &want[name][0]);
        meets(name, field(test, |test| test.p_value), &want[name][1]);
    }
    match track_record {
        Err(error) => assert!(losing && error.to_string().contains("no record"), "{error}"),
        found => meets("track record", found, &want["minimum_track_record_095"]),
    }
    assert_eq!(want.as_object().expect("an object").len(), 12, "every value is checked");
}

#[test]
fn the_index_meets_other_programs() {
    let (_, r, b) = index_returns();
    check_significance(&r, &b, &reference()["index"]["significance"]);
    // The figures by which this crate is judged, without make.py in between.
    meets("se", sharpe_standard_error(&r, 0.0, DAILY), &json!(0.2239837550514505));
    meets("psr", probabilistic_sharpe(&r, 0.0, 0.0), &json!(0.8965832130325041));
}

#[test]
fn random_series_meet_other_programs() {
    let want = &reference()["random"];
    for index in 0..18 {
        let (r, b) = random_series(index);
        check_significance(&r, &b, &want[index]["significance"]);
    }
}

fn forecasts() -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (actual, a, b) = (lcg(11, 200), lcg(22, 200), lcg(33, 200));
    let near = |noise: &[f64], scale: f64| {
        actual.iter().zip(noise).map(|(actual, noise)| actual + scale * (noise - 0.5)).collect()
    };
    let (first, second) = (near(&a, 0.3), near(&b, 0.4));
    (actual, first, second)
}

/// Statistics of dieboldmariano 1.1.0, p-values of SciPy for them (its own are good to 1e-10).
#[test]
fn diebold_mariano_meets_its_package() {
    let (actual, first, second) = forecasts();
    let want = reference()["diebold_mariano"].clone();
    let mut checked = 0;
    for (loss_name, loss) in
        [("squared", ForecastLoss::Squared), ("absolute", ForecastLoss::Absolute)]
    {
        let differences = loss_differences(&actual, &first, &second, loss).unwrap();
        for horizon in [1, 2, 5, 20] {
            for (kernel_name, kernel) in
                [("acf", LagWindow::Rectangular), ("bartlett", LagWindow::Bartlett)]
            {
                for (correction, small_sample_correction) in [("hln", true), ("plain", false)] {
                    let name = format!("{loss_name}_h{horizon}_{kernel_name}_{correction}");
                    let test = DieboldMariano { horizon, kernel, small_sample_correction };
                    let found = diebold_mariano(&differences, &test).unwrap();
                    let want = &want[&name];
                    meets(&name, Ok(found.statistic), &want[0]);
                    meets(&name, Ok(found.p_value), &want[1]);
                    meets(&name, Ok(found.p_less), &want[2]);
                    meets(&name, Ok(1.0 - found.p_greater), &json!(1.0 - (1.0 - found.p_less)));
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, want.as_object().unwrap().len());
}

/// The nine figures by which this crate is judged: dieboldmariano 1.1.0.
#[test]
fn diebold_mariano_of_the_brief() {
    let (actual, first, second) = forecasts();
    let check = |loss, horizon, kernel, small_sample_correction, statistic: f64, p: f64| {
        let differences = loss_differences(&actual, &first, &second, loss).unwrap();
        let test = DieboldMariano { horizon, kernel, small_sample_correction };
        let found = diebold_mariano(&differences, &test).unwrap();
        meets("statistic", Ok(found.statistic), &json!(statistic));
        meets("p-value", Ok(found.p_value), &json!(p));
    };
    use ForecastLoss::{Absolute, Squared};
    use LagWindow::{Bartlett, Rectangular};
    check(Squared, 1, Rectangular, true, -4.84392281371906, 2.5544477979377782e-06);
    check(Squared, 1, Rectangular, false, -4.856078222577033, 2.4182636505513594e-06);
    check(Squared, 1, Bartlett, true, -4.84392281371906, 2.5544477979377782e-06);
    check(Squared, 1, Bartlett, false, -4.856078222577033, 2.4182636505513594e-06);
    check(Squared, 5, Rectangular, true, -6.43002794332901, 9.269792518701988e-10);
    check(Squared, 5, Rectangular, false, -6.57805521529584, 4.116370676826253e-10);
    check(Squared, 5, Bartlett, true, -5.651963848129337, 5.4425348655871426e-08);
    check(Squared, 5, Bartlett, false, -5.782079113112241, 2.8206897093086995e-08);
    // The package's continued fraction stops at 1e-10, and its p-value is off by 3.5e-10 here.
    let differences = loss_differences(&actual, &first, &second, Absolute).unwrap();
    let found = diebold_mariano(&differences, &DieboldMariano::default()).unwrap();
    meets("statistic", Ok(found.statistic), &json!(-3.8572758795742925));
    assert!((found.p_value / 0.00015480591600727504 - 1.0).abs() < 1e-9);
}

#[test]
fn diebold_mariano_without_an_answer() {
    let check = |differences: &[f64], test: DieboldMariano, want: &str| {
        let error = diebold_mariano(differences, &test).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    let default = DieboldMariano::default();
    let alternating: Vec<f64> = (0..20).map(|day| f64::from(day % 2 * 2 - 1) + 0.1).collect();
    let negative = DieboldMariano { horizon: 2, ..default };
    check(&alternating, negative, "take the Bartlett lag window");
    let bartlett = DieboldMariano { kernel: LagWindow::Bartlett, ..negative };
    assert!(diebold_mariano(&alternating, &bartlett).unwrap().p_value > 0.0);
    check(&[0.0; 20], default, "the same amount in every period");
    check(&[0.1; 20], default, "the same amount in every period");
    check(&[1e-20, 1e-20, 1e-20], default, "the same amount in every period");
    check(&[1.0, 2.0], DieboldMariano { horizon: 0, ..default }, "the horizon is 0");
    check(&[1.0, 2.0], DieboldMariano { horizon: 2, ..default }, "the horizon is 2");
    check(&[1.0], default, "at least 2");
    check(&[1.0, f64::NAN], default, "value 1 is not finite");
    let lengths = loss_differences(&[1.0], &[1.0], &[1.0, 2.0], ForecastLoss::Squared);
    assert_eq!(lengths, Err(MetricError::Lengths { left: 1, right: 2 }));
    // Small losses are losses too: the scale is that of the values.
    let tiny: Vec<f64> = lcg(5, 30).iter().map(|u| 1e-30 * (u - 0.4)).collect();
    let large: Vec<f64> = lcg(5, 30).iter().map(|u| u - 0.4).collect();
    let (tiny, large) =
        (diebold_mariano(&tiny, &default).unwrap(), diebold_mariano(&large, &default).unwrap());
    assert!((tiny.statistic / large.statistic - 1.0).abs() < 1e-12);
}

#[test]
fn swapping_the_forecasts_turns_the_sign() {
    let (actual, first, second) = forecasts();
    let of = |first: &[f64], second: &[f64]| {
        let differences = loss_differences(&actual, first, second, ForecastLoss::Squared);
        diebold_mariano(&differences.unwrap(), &DieboldMariano::default()).unwrap()
    };
    let (there, back) = (of(&first, &second), of(&second, &first));
    assert_eq!((there.statistic, there.p_value), (-back.statistic, back.p_value));
    assert_eq!((there.p_less, there.p_greater), (back.p_greater, back.p_less));
}

#[test]
fn sharpe_ratios_and_luck() {
    let (_, r, _) = index_returns();
    // One trial is no selection.
    assert_eq!(expected_maximum_sharpe(0.3, 1), Ok(0.0));
    assert_eq!(deflated_sharpe(&r, 0.0, 0.3, 1), probabilistic_sharpe(&r, 0.0, 0.0));
    let more = |trials| expected_maximum_sharpe(1.0, trials).unwrap();
    assert!(more(2) > 0.0 && more(3) > more(2) && more(1_000_000) > more(1000));
    // The mean of the highest of ten standard normal numbers is 1.5388; the formula is asymptotic.
    assert!((more(10) - 1.5388).abs() < 0.05, "{}", more(10));
    let trials = [0.01, 0.03, -0.02, 0.018];
    let std = (trials.iter().map(|s| (s - 0.0095_f64).powi(2)).sum::<f64>() / 3.0).sqrt();
    let (a, b) =
        (deflated_sharpe_of_trials(&r, 0.0, &trials), deflated_sharpe(&r, 0.0, std, 4).unwrap());
    meets("of trials", a, &json!(b));
    // At the minimum length the probabilistic Sharpe ratio is the confidence; n is 5,030 here.
    let confidence = probabilistic_sharpe(&r, 0.0, 0.0).unwrap();
    meets("length", minimum_track_record(&r, 0.0, 0.0, confidence), &json!(5030.0));

    let out_of_range = |found: Result<f64, MetricError>| {
        assert!(matches!(found, Err(MetricError::OutOfRange { .. })), "{found:?}");
    };
    out_of_range(expected_maximum_sharpe(0.1, 0));
    out_of_range(expected_maximum_sharpe(-0.1, 5));
    out_of_range(expected_maximum_sharpe(f64::NAN, 5));
    out_of_range(probabilistic_sharpe(&r, 0.0, f64::NAN));
    out_of_range(minimum_track_record(&r, 0.0, 0.0, 1.0));
    out_of_range(minimum_track_record(&r, 0.0, 0.0, 0.4));
    let undefined = |found: Result<f64, MetricError>| {
        assert!(matches!(found, Err(MetricError::Undefined { .. })), "{found:?}");
    };
    undefined(minimum_track_record(&r, 0.0, 0.5, 0.95));
    undefined(probabilistic_sharpe(&[0.01; 30], 0.0, 0.0));
    // Two values of which one is three times as frequent, so shifted that SR·skewness is 2.
    let low = 0.75_f64.sqrt() - 0.25;
    undefined(probabilistic_sharpe(&[low + 1.0, low, low, low], 0.0, 0.0));
    undefined(sharpe_standard_error(&[low + 1.0, low, low, low], 0.0, DAILY));
    assert!(probabilistic_sharpe(&[0.01, 0.02], 0.0, 0.0).is_ok());
    assert_eq!(
        probabilistic_sharpe(&[0.01], 0.0, 0.0),
        Err(MetricError::TooFew { needed: 2, got: 1 })
    );
}

#[test]
fn paired_tests_without_an_answer() {
    let undefined = |found: Result<TestResult, MetricError>| {
        assert!(matches!(found, Err(MetricError::Undefined { .. })), "{found:?}");
    };
    undefined(paired_t(&[0.1, 0.2, 0.3], &[0.0, 0.1, 0.2]));
    undefined(paired_t(&[0.1, 0.2], &[0.1, 0.2]));
    undefined(sign_test(&[1.0, 2.0], &[1.0, 2.0]));
    assert!(matches!(paired_t(&[1.0], &[1.0, 2.0]), Err(MetricError::Lengths { .. })));
    assert!(matches!(sign_test(&[], &[]), Err(MetricError::TooFew { .. })));
}

/// By hand: of n fair coins, k heads or fewer.
#[test]
fn sign_test_by_hand() {
    let check = |above: usize, below: usize, ties: usize, p_less: f64, p_greater: f64, p: f64| {
        let mut left = vec![1.0; above];
        left.extend(vec![-1.0; below]);
        left.extend(vec![0.0; ties]);
        let found = sign_test(&left, &vec![0.0; left.len()]).unwrap();
        meets("less", Ok(found.p_less), &json!(p_less));
        meets("greater", Ok(found.p_greater), &json!(p_greater));
        meets("two-sided", Ok(found.p_value), &json!(p));
        assert_eq!(found.statistic, above as f64 / (above + below) as f64);
    };
    check(1, 0, 3, 1.0, 0.5, 1.0);
    check(0, 3, 0, 0.125, 1.0, 0.25);
    check(1, 1, 0, 0.75, 0.75, 1.0);
    check(1, 3, 2, 5.0 / 16.0, 15.0 / 16.0, 10.0 / 16.0);
    check(8, 2, 0, 1013.0 / 1024.0, 56.0 / 1024.0, 112.0 / 1024.0);
    check(0, 100, 0, 0.5_f64.powi(100), 1.0, 0.5_f64.powi(99));
    check(0, 5_000, 0, 0.0, 1.0, 0.0);
    // By Python's exact fractions.
    check(24_700, 25_300, 0, 0.0036939172590177345, 0.996403578673792, 0.007387834518035469);
}
