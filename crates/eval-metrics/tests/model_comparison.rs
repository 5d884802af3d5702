//! Temperatures and McNemar's test: against scipy and statsmodels (`fixtures/metrics`, and
//! `make_model_comparison.py` there for their versions), edges and properties.

use std::path::Path;

use eval_metrics::MetricError;
use eval_metrics::calibration::{
    LEAST_TEMPERATURE, MOST_TEMPERATURE, TemperatureBound, temperature, tempered_probabilities,
};
use eval_metrics::significance::mcnemar;
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn temperatures_are_those_of_scipy() {
    for case in cases("temperature") {
        let rows: Vec<Vec<f64>> =
            serde_json::from_value(case["log_probabilities"].clone()).expect("rows");
        let truth: Vec<usize> = serde_json::from_value(case["truth"].clone()).expect("classes");
        let fit = temperature(&rows, &truth).unwrap();
        near(fit.temperature, &case["temperature"], 1e-9);
        near(fit.loss_before, &case["loss_before"], 1e-12);
        near(fit.loss_after, &case["loss_after"], 1e-12);
        assert_eq!(fit.bound, None);
        let after: f64 = rows
            .iter()
            .zip(&truth)
            .map(|(row, class)| -tempered_probabilities(row, fit.temperature).unwrap()[*class].ln())
            .sum();
        near(after / truth.len() as f64, &case["loss_after"], 1e-12);
    }
}

#[test]
fn temperatures_that_have_no_minimum_end_at_a_bound() {
    let check = |rows: &[[f64; 2]], truth: &[usize], want: f64, bound: Option<TemperatureBound>| {
        let fit = temperature(rows, truth).unwrap();
        assert_eq!((fit.temperature, fit.bound), (want, bound), "{rows:?}");
        assert!(fit.loss_after <= fit.loss_before);
    };
    let least = Some(TemperatureBound::Least);
    check(&[[-0.1, -2.0], [-3.0, -0.2]], &[0, 1], LEAST_TEMPERATURE, least);
    check(&[[-0.1, -2.0]; 3], &[0; 3], LEAST_TEMPERATURE, least);
    check(&[[-0.1, -2.0]; 3], &[1; 3], MOST_TEMPERATURE, Some(TemperatureBound::Most));
    check(&[[-5.0, -5.0]], &[1], 1.0, None);
    check(&[[-1e300, 0.0]], &[0], MOST_TEMPERATURE, Some(TemperatureBound::Most));
    // Hand-computed: two of three right at odds of e^z to 1, best where the odds are 2 to 1.
    let fit = temperature(&[[1.0, 0.0]; 3], &[0, 0, 1]).unwrap();
    assert!((fit.temperature - 1.0 / std::f64::consts::LN_2).abs() < 1e-12);
}

#[test]
fn bad_input_is_refused() {
    let check = |rows: &[Vec<f64>], truth: &[usize], want: MetricError| {
        assert_eq!(temperature(rows, truth), Err(want));
    };
    check(&[], &[], MetricError::TooFew { needed: 1, got: 0 });
    check(&[vec![0.0]], &[], MetricError::Lengths { left: 1, right: 0 });
    check(&[vec![0.0], vec![]], &[0, 0], MetricError::Lengths { left: 1, right: 0 });
    let infinite = vec![f64::NEG_INFINITY, 0.0];
    check(&[vec![0.0; 2], infinite], &[0, 0], MetricError::NotFinite { index: 1 });
    assert!(matches!(temperature(&[[0.0]], &[1]), Err(MetricError::OutOfRange { .. })));
    for t in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(tempered_probabilities(&[0.0], t).is_err());
    }
    assert!(mcnemar(&[], &[]).is_err());
    assert!(mcnemar(&[true], &[]).is_err());
}

#[test]
fn mcnemar_is_that_of_statsmodels() {
    for case in cases("mcnemar") {
        let table: [usize; 4] = serde_json::from_value(case["table"].clone()).expect("a table");
        let kinds = [(true, true), (true, false), (false, true), (false, false)];
        let (first, second): (Vec<bool>, Vec<bool>) =
            table.iter().zip(kinds).flat_map(|(&count, kind)| vec![kind; count]).unzip();
        let test = mcnemar(&first, &second).unwrap();
        let counts = [test.both, test.first_only, test.second_only, test.neither];
        assert_eq!(counts.map(|count| count as usize), table);
        near(test.exact_p_value, &case["exact"], 1e-10);
        near(test.corrected_statistic, &case["statistic"], 1e-12);
        near(test.corrected_p_value, &case["corrected"], 1e-10);
    }
}

#[test]
fn mcnemar_of_equals() {
    for (first, second) in [([true, false], [true, false]), ([true, false], [false, true])] {
        let test = mcnemar(&first, &second).unwrap();
        let found = (test.exact_p_value, test.corrected_statistic, test.corrected_p_value);
        assert_eq!(found, (1.0, 0.0, 1.0));
    }
}

proptest! {
    #[test]
    fn no_other_temperature_loses_less(
        rows in prop::collection::vec((prop::array::uniform3(-20.0..0.0_f64), 0..3_usize), 1..20),
        other in -4.6..4.6_f64,
    ) {
        let (rows, truth): (Vec<[f64; 3]>, Vec<usize>) = rows.into_iter().unzip();
        let fit = temperature(&rows, &truth).unwrap();
        prop_assert!((LEAST_TEMPERATURE..=MOST_TEMPERATURE).contains(&fit.temperature));
        let divided: Vec<[f64; 3]> = rows.iter().map(|row| row.map(|z| z / other.exp())).collect();
        let there = temperature(&divided, &truth).unwrap().loss_before;
        prop_assert!(fit.loss_after <= there + 1e-12 * there.abs().max(1.0));
        // A constant that a row's logarithms share changes nothing but rounding.
        let shifted: Vec<[f64; 3]> = rows.iter().map(|row| row.map(|z| z + 7.0)).collect();
        let again = temperature(&shifted, &truth).unwrap();
        prop_assert!((again.loss_after - fit.loss_after).abs() < 1e-9 * fit.loss_after.max(1.0));
    }
}

fn cases(section: &str) -> Vec<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/metrics/model_comparison.json");
    let text = std::fs::read_to_string(path).expect("a fixture");
    let mut all: Value = serde_json::from_str(&text).expect("JSON");
    let Value::Array(cases) = all[section].take() else { panic!("{section}") };
    assert!(cases.len() > 5);
    cases
}

fn near(found: f64, want: &Value, tolerance: f64) {
    let want = want.as_f64().expect("a number");
    assert!((found - want).abs() <= tolerance * want.abs().max(1e-12), "{found} is not {want}");
}
