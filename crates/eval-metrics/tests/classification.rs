//! Edges and properties of the metrics of classes.

use eval_metrics::MetricError;
use eval_metrics::classification::{
    ConfusionMatrix, KappaWeights, accuracy, balanced_accuracy, classification_report, cohen_kappa,
    matthews_correlation,
};
use proptest::prelude::*;
use thesis_core::Action;

const WEIGHTS: [KappaWeights; 3] =
    [KappaWeights::Unweighted, KappaWeights::Linear, KappaWeights::Quadratic];

#[test]
fn what_is_no_matrix() {
    let check = |truth: &[usize], predicted: &[usize], classes: usize, want: &str| {
        let error = ConfusionMatrix::new(truth, predicted, classes).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    check(&[], &[], 3, "0 values, of at least 1");
    check(&[0, 1], &[0], 3, "2 and 1 values");
    check(&[0], &[3], 3, "class is 3");
    check(&[7], &[0], 3, "class is 7");
    check(&[0], &[0], 0, "classes is 0");
    check(&[0], &[0], usize::MAX, "outside of its range");
    let matrix = ConfusionMatrix::new(&[0], &[0], 2).unwrap();
    let error = classification_report(&matrix, &["only one"]).unwrap_err();
    assert_eq!(error, MetricError::Lengths { left: 2, right: 1 });
}

#[test]
fn actions_are_in_the_order_of_reports() {
    use Action::{Buy, Hold, Sell, StrongBuy};
    let truth = [StrongBuy, Buy, Hold, Sell];
    let matrix = ConfusionMatrix::of_actions(&truth, &[StrongBuy, Hold, Hold, Buy]).unwrap();
    assert_eq!(matrix.rows()[1], [0, 0, 1, 0, 0], "a buy called hold");
    assert_eq!(matrix.supports(), [1, 1, 1, 1, 0]);
    assert_eq!(matrix.predictions(), [1, 1, 2, 0, 0]);
    assert_eq!((matrix.correct(), matrix.total()), (2, 4));
    let report = classification_report(&matrix, &Action::ALL).unwrap();
    assert_eq!(report.classes[0].label, "STRONG_BUY");
    assert_eq!(report.absent, ["STRONG_SELL"]);
    assert_eq!(report.never_predicted, ["SELL", "STRONG_SELL"]);
    assert_eq!(report.balanced_accuracy, 0.5, "of four classes");
    assert_eq!(report.macro_average.recall, 0.4, "of five classes");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["classes"][2]["f1"], 2.0 / 3.0);
    assert_eq!(json["confusion"][3][1], 1);
}

#[test]
fn one_class_only_is_said_to_be_undefined() {
    let matrix = ConfusionMatrix::new(&[1, 1], &[1, 1], 2).unwrap();
    assert_eq!((accuracy(&matrix), balanced_accuracy(&matrix)), (1.0, 1.0));
    assert!(matches!(matthews_correlation(&matrix), Err(MetricError::Undefined { .. })));
    for weights in WEIGHTS {
        assert!(matches!(cohen_kappa(&matrix, weights), Err(MetricError::Undefined { .. })));
    }
    let report = classification_report(&matrix, &["a", "b"]).unwrap();
    assert_eq!((report.matthews_correlation, report.cohen_kappa), (None, None));

    let stuck = ConfusionMatrix::new(&[0, 1], &[1, 1], 2).unwrap();
    assert_eq!(
        matthews_correlation(&stuck),
        Err(MetricError::Undefined { reason: "the predictions are all of one class" })
    );
    assert_eq!(cohen_kappa(&stuck, KappaWeights::Unweighted), Ok(0.0));
}

#[test]
fn weights_tell_near_from_far() {
    let near = ConfusionMatrix::new(&[0, 1, 2, 3, 4], &[1, 2, 3, 4, 3], 5).unwrap();
    let far = ConfusionMatrix::new(&[0, 1, 2, 3, 4], &[4, 3, 4, 0, 1], 5).unwrap();
    for weights in [KappaWeights::Linear, KappaWeights::Quadratic] {
        let (near, far) =
            (cohen_kappa(&near, weights).unwrap(), cohen_kappa(&far, weights).unwrap());
        assert!(near > 0.3 && far < 0.0, "{weights:?}: {near}, {far}");
    }
}

fn pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0_usize..5, 0_usize..5), 1..60)
}

fn matrix(pairs: &[(usize, usize)]) -> ConfusionMatrix {
    let (truth, predicted): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
    ConfusionMatrix::new(&truth, &predicted, 5).expect("valid classes")
}

proptest! {
    #[test]
    fn the_order_of_examples_does_not_matter(pairs in pairs().prop_shuffle(), seed in pairs()) {
        let mut sorted = pairs.clone();
        sorted.sort_unstable();
        prop_assert_eq!(matrix(&sorted), matrix(&pairs));
        let mut more = pairs.clone();
        more.extend(&seed);
        prop_assert_eq!(matrix(&more).total(), (pairs.len() + seed.len()) as u64);
    }

    /// Names of classes do not matter where nothing depends on their distance.
    #[test]
    fn renamed_classes_score_the_same(
        pairs in pairs(),
        names in Just([0_usize, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let renamed: Vec<_> = pairs.iter().map(|(t, p)| (names[*t], names[*p])).collect();
        let (before, after) = (matrix(&pairs), matrix(&renamed));
        prop_assert_eq!(accuracy(&before), accuracy(&after));
        prop_assert!((balanced_accuracy(&before) - balanced_accuracy(&after)).abs() < 1e-12);
        prop_assert_eq!(matthews_correlation(&before), matthews_correlation(&after));
        let kappa = |matrix| cohen_kappa(matrix, KappaWeights::Unweighted);
        match (kappa(&before), kappa(&after)) {
            (Ok(before), Ok(after)) => prop_assert!((before - after).abs() < 1e-12),
            (before, after) => prop_assert_eq!(before, after),
        }
    }

    #[test]
    fn all_right_is_1_and_nothing_is_above(pairs in pairs()) {
        let right: Vec<_> = pairs.iter().map(|(truth, _)| (*truth, *truth)).collect();
        let (right, any) = (matrix(&right), matrix(&pairs));
        prop_assert_eq!(accuracy(&right), 1.0);
        for weights in WEIGHTS {
            if let Ok(kappa) = cohen_kappa(&right, weights) {
                prop_assert_eq!(kappa, 1.0);
            }
            if let Ok(kappa) = cohen_kappa(&any, weights) {
                prop_assert!((-1.0..=1.0).contains(&kappa), "{kappa}");
            }
        }
        if let Ok(mcc) = matthews_correlation(&right) {
            prop_assert_eq!(mcc, 1.0);
        }
        if let Ok(mcc) = matthews_correlation(&any) {
            prop_assert!((-1.0..=1.0).contains(&mcc), "{mcc}");
        }
    }

    /// Recall weighted by support is accuracy.
    #[test]
    fn weighted_recall_is_accuracy(pairs in pairs()) {
        let report = classification_report(&matrix(&pairs), &Action::ALL).unwrap();
        prop_assert!((report.weighted_average.recall - report.accuracy).abs() < 1e-12);
    }
}
