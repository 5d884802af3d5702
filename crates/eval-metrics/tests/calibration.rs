//! Edges and properties of the metrics of probabilities.

use eval_metrics::MetricError;
use eval_metrics::calibration::{
    Bins, average_precision, brier_score, brier_score_multiclass, expected_calibration_error,
    log_loss, log_loss_multiclass, maximum_calibration_error, reliability_table, roc_auc,
    top_class_confidences,
};
use proptest::prelude::*;

type Metric = fn(&[f64], &[bool]) -> Result<f64, MetricError>;

const EQUAL_WIDTH: Metric = |p, y| expected_calibration_error(p, y, Bins::EqualWidth(10));
const EQUAL_MASS: Metric = |p, y| maximum_calibration_error(p, y, Bins::EqualMass(10));
const METRICS: [Metric; 6] =
    [brier_score, log_loss, roc_auc, average_precision, EQUAL_WIDTH, EQUAL_MASS];

#[test]
fn bad_input_is_refused_by_all() {
    for metric in METRICS {
        assert_eq!(metric(&[], &[]), Err(MetricError::TooFew { needed: 1, got: 0 }));
        assert_eq!(metric(&[0.5], &[]), Err(MetricError::Lengths { left: 1, right: 0 }));
        for value in [f64::NAN, f64::INFINITY] {
            let got = metric(&[0.5, value], &[true, false]);
            assert_eq!(got, Err(MetricError::NotFinite { index: 1 }));
        }
    }
    for metric in [brier_score, log_loss, EQUAL_WIDTH, EQUAL_MASS] {
        for value in [-0.01, 1.01] {
            let got = metric(&[value], &[true]);
            assert!(matches!(got, Err(MetricError::OutOfRange { name: "probability", .. })));
        }
    }
    for bins in [Bins::EqualWidth(0), Bins::EqualMass(0), Bins::EqualWidth(usize::MAX)] {
        let got = reliability_table(&[0.5], &[true], bins);
        assert!(matches!(got, Err(MetricError::OutOfRange { name: "bins", .. })));
    }
}

#[test]
fn one_kind_of_outcome() {
    assert_eq!(brier_score(&[1.0, 1.0], &[true, true]), Ok(0.0));
    assert_eq!(average_precision(&[0.3, 0.2], &[true, true]), Ok(1.0));
    assert!(matches!(roc_auc(&[0.3, 0.2], &[true, true]), Err(MetricError::Undefined { .. })));
    let none = average_precision(&[0.3, 0.2], &[false, false]);
    assert!(matches!(none, Err(MetricError::Undefined { .. })));
}

#[test]
fn certain_and_wrong_costs_a_finite_amount() {
    let got = log_loss(&[0.0], &[true]).unwrap();
    assert_eq!(got, 52.0 * std::f64::consts::LN_2);
    assert_eq!(log_loss_multiclass(&[[1.0, 0.0]], &[1]).unwrap(), got);
}

#[test]
fn what_is_no_distribution() {
    let check = |rows: &[Vec<f64>], truth: &[usize], want: &str| {
        for metric in [brier_score_multiclass, log_loss_multiclass] {
            let error = metric(rows, truth).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    };
    check(&[], &[], "0 values");
    check(&[vec![1.0]], &[0, 0], "1 and 2 values");
    check(&[vec![0.5, 0.5], vec![1.0]], &[0, 0], "2 and 1 values");
    check(&[vec![0.5, 0.5], vec![f64::NAN, 1.0]], &[0, 0], "value 1 is not finite");
    check(&[vec![0.5, 0.4]], &[0], "sum of a row is 0.9");
    check(&[vec![1.5, -0.5]], &[0], "probability is 1.5");
    check(&[vec![0.5, 0.5]], &[2], "class is 2");
    check(&[vec![]], &[0], "class is 0");
}

#[test]
fn values_on_an_edge_belong_to_the_bin_below() {
    let p = [0.0, 0.25, 0.5, 0.75, 1.0];
    let y = [false, true, true, true, true];
    let counts = |bins| -> Vec<u64> {
        reliability_table(&p, &y, bins).unwrap().iter().map(|bin| bin.count).collect()
    };
    assert_eq!(counts(Bins::EqualWidth(4)), [2, 1, 1, 1]);
    assert_eq!(counts(Bins::EqualMass(4)), [2, 1, 1, 1]);
    assert_eq!(counts(Bins::EqualMass(2)), [3, 2]);
    assert_eq!(counts(Bins::EqualWidth(1)), [5]);
    let edges = reliability_table(&[0.0, 0.2, 0.4, 1.0], &[true; 4], Bins::EqualMass(2)).unwrap();
    assert_eq!((edges[0].lower, edges[1].upper), (0.0, 1.0));
    assert!((edges[0].upper - 0.3).abs() < 1e-15 && edges[0].upper == edges[1].lower);
    // Far more bins than values.
    assert_eq!(counts(Bins::EqualMass(1000)).iter().sum::<u64>(), 5);
}

#[test]
fn equal_confidences_stay_together() {
    let table =
        reliability_table(&[0.6; 4], &[true, false, true, true], Bins::EqualMass(3)).unwrap();
    let full: Vec<_> = table.iter().filter(|bin| bin.count > 0).collect();
    assert_eq!(full.len(), 1);
    assert_eq!((full[0].count, full[0].accuracy), (4, Some(0.75)));
    assert_eq!(table[2].mean_confidence, None);
    assert_eq!(table[2].gap(), 0.0);
}

#[test]
fn ties_count_one_half() {
    assert_eq!(roc_auc(&[0.5; 4], &[true, false, true, false]), Ok(0.5));
    assert_eq!(roc_auc(&[0.0, -0.0], &[true, false]), Ok(0.5));
    assert_eq!(average_precision(&[0.5; 4], &[true, false, true, false]), Ok(0.5));
}

#[test]
fn the_top_class_of_several() {
    let rows = [[0.2, 0.7, 0.1], [0.4, 0.2, 0.4], [0.1, 0.1, 0.8]];
    let (confidences, correct) = top_class_confidences(&rows, &[1, 2, 2]).unwrap();
    assert_eq!(confidences, [0.7, 0.4, 0.8]);
    assert_eq!(correct, [true, false, true]);
    let ece = expected_calibration_error(&confidences, &correct, Bins::EqualWidth(10)).unwrap();
    assert!((ece - (0.3 + 0.4 + 0.2) / 3.0).abs() < 1e-15);
    assert!(top_class_confidences(&[[0.5, 0.6]], &[0]).is_err());
}

fn outcomes() -> impl Strategy<Value = Vec<(f64, bool)>> {
    let probability = prop_oneof![0.0..=1.0, (0_u8..=10).prop_map(|tenth| f64::from(tenth) / 10.0)];
    prop::collection::vec((probability, any::<bool>()), 1..60)
}

proptest! {
    #[test]
    fn ranges_hold_whatever_the_order(rows in outcomes(), bins in 1_usize..30) {
        let (p, y): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        let (q, z): (Vec<f64>, Vec<bool>) = rows.iter().rev().copied().unzip();
        for metric in METRICS {
            match (metric(&p, &y), metric(&q, &z)) {
                (Ok(left), Ok(right)) => {
                    prop_assert!((left - right).abs() < 1e-12);
                    prop_assert!((0.0..=36.05).contains(&left));
                }
                (left, right) => prop_assert_eq!(left, right),
            }
        }
        for bins in [Bins::EqualWidth(bins), Bins::EqualMass(bins)] {
            let ece = expected_calibration_error(&p, &y, bins).unwrap();
            let mce = maximum_calibration_error(&p, &y, bins).unwrap();
            prop_assert!((0.0..=1.0).contains(&ece));
            prop_assert!(ece <= mce + 1e-12 && mce <= 1.0);
            let table = reliability_table(&p, &y, bins).unwrap();
            prop_assert_eq!(table.iter().map(|bin| bin.count).sum::<u64>(), p.len() as u64);
            for bin in table {
                if let Some(mean) = bin.mean_confidence {
                    prop_assert!(bin.lower - 1e-12 <= mean && mean <= bin.upper + 1e-12);
                }
            }
        }
    }

    #[test]
    fn turned_scores_turn_the_auc(rows in outcomes()) {
        let (p, y): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        let turned: Vec<f64> = p.iter().map(|p| -p).collect();
        if let (Ok(up), Ok(down)) = (roc_auc(&p, &y), roc_auc(&turned, &y)) {
            prop_assert!((up + down - 1.0).abs() < 1e-12);
        }
    }

    /// Two classes: the log loss is the same, the Brier score twice as high.
    #[test]
    fn two_classes_as_binary(rows in outcomes()) {
        let (p, y): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        let both: Vec<[f64; 2]> = p.iter().map(|p| [1.0 - p, *p]).collect();
        let truth: Vec<usize> = y.iter().map(|y| usize::from(*y)).collect();
        let brier = brier_score_multiclass(&both, &truth).unwrap();
        prop_assert!((brier - 2.0 * brier_score(&p, &y).unwrap()).abs() < 1e-12);
        let loss = log_loss_multiclass(&both, &truth).unwrap();
        prop_assert!((loss - log_loss(&p, &y).unwrap()).abs() < 1e-9);
    }
}
