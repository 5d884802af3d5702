//! Edges and properties of the metrics of orders.

use eval_metrics::MetricError;
use eval_metrics::ranking::{
    Coefficient, Correlation, Gain, LeftOutReason, ScoredOutcome, information_coefficients,
    kendall_tau_b, ndcg_at_k, pearson, precision_at_k, recall_at_k, spearman,
};
use proptest::prelude::*;

type Metric = fn(&[f64], &[f64]) -> Result<Correlation, MetricError>;

const CORRELATIONS: [Metric; 3] = [pearson, spearman, kendall_tau_b];

#[test]
fn correlations_of_bad_input() {
    for metric in CORRELATIONS {
        assert_eq!(metric(&[], &[]), Err(MetricError::TooFew { needed: 2, got: 0 }));
        assert_eq!(metric(&[1.0], &[1.0]), Err(MetricError::TooFew { needed: 2, got: 1 }));
        assert_eq!(metric(&[1.0], &[]), Err(MetricError::Lengths { left: 1, right: 0 }));
        let got = metric(&[1.0, 2.0, f64::NAN], &[1.0, 2.0, 3.0]);
        assert_eq!(got, Err(MetricError::NotFinite { index: 2 }));
        for constant in [0.1, 0.0, 1e300] {
            let got = metric(&[constant; 3], &[1.0, 2.0, 3.0]);
            assert!(matches!(got, Err(MetricError::Undefined { .. })), "{got:?}");
        }
    }
}

#[test]
fn correlations_of_extreme_values() {
    for metric in CORRELATIONS {
        for scale in [1e-320, 1e-200, 1e200, 1e307] {
            let values = [1.0, 2.0, 4.0, 3.0].map(|value| value * scale);
            let got = metric(&values, &[1.0, 2.0, 4.0, 3.0]).unwrap();
            assert!((got.coefficient - 1.0).abs() < 1e-3, "{got:?} at {scale}");
        }
    }
    let got = pearson(&[f64::MAX, f64::MAX, f64::MIN], &[1.0, 2.0, 3.0]);
    assert!(got.is_err() || got.is_ok_and(|got| got.coefficient.abs() <= 1.0));
    assert_eq!(kendall_tau_b(&[0.0, -0.0, 1.0], &[1.0, 1.0, 2.0]).unwrap().coefficient, 1.0);
}

#[test]
fn two_pairs_say_nothing() {
    for metric in CORRELATIONS {
        let got = metric(&[1.0, 2.0], &[5.0, 3.0]).unwrap();
        assert_eq!(got, Correlation { coefficient: -1.0, p_value: 1.0 });
    }
}

#[test]
fn lists_shorter_than_k() {
    let relevance = [0.0, 2.0, 1.0];
    let scores = [0.1, 0.3, 0.2];
    for gain in [Gain::Linear, Gain::Exponential] {
        assert_eq!(ndcg_at_k(&relevance, &scores, 100, gain), Ok(1.0));
    }
    let relevant = [false, true, true];
    assert_eq!(precision_at_k(&relevant, &scores, 2), Ok(1.0));
    assert_eq!(precision_at_k(&relevant, &scores, 4), Ok(0.5));
    assert_eq!(recall_at_k(&relevant, &scores, 1), Ok(0.5));
    assert_eq!(recall_at_k(&relevant, &scores, usize::MAX), Ok(1.0));
}

#[test]
fn ties_share_their_places() {
    let relevant = [true, false, false, true];
    assert_eq!(precision_at_k(&relevant, &[1.0; 4], 1), Ok(0.5));
    assert_eq!(recall_at_k(&relevant, &[1.0; 4], 3), Ok(0.75));
    assert_eq!(precision_at_k(&relevant, &[2.0, 1.0, 1.0, 1.0], 2), Ok((1.0 + 1.0 / 3.0) / 2.0));
}

#[test]
fn rankings_of_bad_input() {
    let ndcg = |relevance: &[f64], scores: &[f64], k| ndcg_at_k(relevance, scores, k, Gain::Linear);
    assert_eq!(ndcg(&[], &[], 1), Err(MetricError::TooFew { needed: 1, got: 0 }));
    assert_eq!(ndcg(&[1.0], &[f64::NAN], 1), Err(MetricError::NotFinite { index: 0 }));
    assert!(matches!(ndcg(&[1.0], &[1.0], 0), Err(MetricError::OutOfRange { name: "k", .. })));
    assert!(matches!(ndcg(&[-1.0], &[1.0], 1), Err(MetricError::OutOfRange { .. })));
    assert!(matches!(ndcg(&[0.0], &[1.0], 1), Err(MetricError::Undefined { .. })));
    let huge = ndcg_at_k(&[5000.0, 1.0], &[1.0, 2.0], 2, Gain::Exponential);
    assert!(matches!(huge, Err(MetricError::Undefined { .. })));
    assert!(matches!(precision_at_k(&[true], &[1.0], 0), Err(MetricError::OutOfRange { .. })));
    assert!(matches!(recall_at_k(&[false], &[1.0], 1), Err(MetricError::Undefined { .. })));
    let lengths = Err(MetricError::Lengths { left: 1, right: 0 });
    assert_eq!(precision_at_k(&[true], &[], 1), lengths);
}

#[test]
fn periods_left_out_are_named_with_the_reason() {
    let row = |period, score, outcome| ScoredOutcome { period, score, outcome };
    let rows = [
        row("c", 1.0, 1.0),
        row("c", 2.0, 2.0),
        row("c", 3.0, 4.0),
        row("a", 1.0, 1.0),
        row("a", 2.0, 1.0),
        row("a", 3.0, f64::NAN),
        row("b", 5.0, 1.0),
        row("b", 5.0, 2.0),
        row("b", 5.0, 3.0),
        row("d", 1.0, 0.5),
        row("d", 2.0, 0.5),
        row("d", 3.0, 0.5),
        row("e", 1.0, f64::NAN),
    ];
    let got = information_coefficients(&rows, Coefficient::Spearman).unwrap();
    assert_eq!(got.series.len(), 1);
    assert_eq!((got.series[0].period, got.series[0].coefficient), ("c", 1.0));
    assert_eq!((got.mean, got.std, got.icir, got.t_statistic), (Some(1.0), None, None, None));
    assert_eq!(got.unknown_outcomes, 2);
    let left_out: Vec<_> = got.left_out.iter().map(|l| (l.period, l.names, l.reason)).collect();
    let want = [
        ("a", 2, LeftOutReason::FewNames),
        ("b", 3, LeftOutReason::EqualScores),
        ("d", 3, LeftOutReason::EqualOutcomes),
        ("e", 0, LeftOutReason::FewNames),
    ];
    assert_eq!(left_out, want);

    let none = information_coefficients::<u32>(&[], Coefficient::Pearson).unwrap();
    assert_eq!((none.mean, none.series.len()), (None, 0));
    for bad in [row("a", f64::NAN, 1.0), row("a", 1.0, f64::INFINITY)] {
        let got = information_coefficients(&[rows[0], bad], Coefficient::Pearson);
        assert_eq!(got, Err(MetricError::NotFinite { index: 1 }));
    }
}

/// Values with many ties, as many on both sides.
fn pairs() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let value = prop_oneof![(-3_i8..3).prop_map(f64::from), -1.0..1.0];
    prop::collection::vec((value.clone(), value), 2..60).prop_map(|rows| rows.into_iter().unzip())
}

/// τ-b by its definition, over all pairs.
fn tau_b_by_pairs(left: &[f64], right: &[f64]) -> f64 {
    let (mut balance, mut untied_left, mut untied_right) = (0.0, 0.0, 0.0);
    for i in 0..left.len() {
        for j in 0..i {
            let sign = |values: &[f64]| {
                f64::from(i8::from(values[i] > values[j]))
                    - f64::from(i8::from(values[i] < values[j]))
            };
            balance += sign(left) * sign(right);
            untied_left += sign(left).abs();
            untied_right += sign(right).abs();
        }
    }
    balance / f64::sqrt(untied_left * untied_right)
}

proptest! {
    #[test]
    fn sides_and_order_do_not_matter((left, right) in pairs()) {
        let turned = |values: &[f64]| -> Vec<f64> { values.iter().rev().copied().collect() };
        let negative: Vec<f64> = right.iter().map(|value| -value).collect();
        for metric in CORRELATIONS {
            let Ok(got) = metric(&left, &right) else { continue };
            prop_assert!((-1.0..=1.0).contains(&got.coefficient));
            prop_assert!((0.0..=1.0).contains(&got.p_value));
            for (other, sign) in [
                (metric(&right, &left).unwrap(), 1.0),
                (metric(&turned(&left), &turned(&right)).unwrap(), 1.0),
                (metric(&left, &negative).unwrap(), -1.0),
            ] {
                prop_assert!((got.coefficient - sign * other.coefficient).abs() < 1e-12);
            }
            let own = metric(&left, &left).unwrap().coefficient;
            prop_assert!((own - 1.0).abs() < 1e-15, "{own}");
        }
    }

    #[test]
    fn kendall_is_its_definition((left, right) in pairs()) {
        if let Ok(got) = kendall_tau_b(&left, &right) {
            prop_assert!((got.coefficient - tau_b_by_pairs(&left, &right)).abs() < 1e-12);
        }
    }

    #[test]
    fn rankings_stay_in_range_whatever_the_order(
        rows in prop::collection::vec((0_u8..4, 0_u8..6), 1..30),
        k in 1_usize..40,
    ) {
        let column = |rows: Vec<&(u8, u8)>| -> (Vec<f64>, Vec<f64>) {
            rows.into_iter().map(|(r, s)| (f64::from(*r), f64::from(*s))).unzip()
        };
        let (relevance, scores) = column(rows.iter().collect());
        let (other_relevance, other_scores) = column(rows.iter().rev().collect());
        for gain in [Gain::Linear, Gain::Exponential] {
            let Ok(got) = ndcg_at_k(&relevance, &scores, k, gain) else { continue };
            prop_assert!((0.0..=1.0).contains(&got));
            let other = ndcg_at_k(&other_relevance, &other_scores, k, gain).unwrap();
            prop_assert!((got - other).abs() < 1e-12);
            prop_assert_eq!(ndcg_at_k(&relevance, &relevance, k, gain).unwrap(), 1.0);
        }
        let relevant: Vec<bool> = relevance.iter().map(|value| *value > 1.0).collect();
        let precision = precision_at_k(&relevant, &scores, k).unwrap();
        prop_assert!((0.0..=1.0).contains(&precision));
        if let Ok(recall) = recall_at_k(&relevant, &scores, k) {
            let all = relevant.iter().filter(|relevant| **relevant).count() as f64;
            prop_assert!((recall * all - precision * k as f64).abs() < 1e-9);
        }
    }
}
