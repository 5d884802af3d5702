//! Edges and properties of the metrics of numbers.

use eval_metrics::MetricError;
use eval_metrics::regression::{
    mean_absolute_error, mean_absolute_percentage_error, r_squared, root_mean_square_error,
    symmetric_mape,
};
use proptest::prelude::*;

type Metric = fn(&[f64], &[f64]) -> Result<f64, MetricError>;

const METRICS: [Metric; 5] = [
    mean_absolute_error,
    root_mean_square_error,
    mean_absolute_percentage_error,
    symmetric_mape,
    r_squared,
];

#[test]
fn bad_input_is_refused_by_all() {
    for metric in METRICS {
        assert!(matches!(metric(&[], &[]), Err(MetricError::TooFew { got: 0, .. })));
        let lengths = MetricError::Lengths { left: 2, right: 1 };
        assert_eq!(metric(&[1.0, 2.0], &[1.0]), Err(lengths));
        let not_finite = Err(MetricError::NotFinite { index: 1 });
        assert_eq!(metric(&[1.0, f64::NAN], &[1.0, 2.0]), not_finite);
        assert_eq!(metric(&[1.0, 2.0], &[1.0, f64::NEG_INFINITY]), not_finite);
    }
}

#[test]
fn what_has_no_value() {
    let undefined = |got| assert!(matches!(got, Err(MetricError::Undefined { .. })), "{got:?}");
    undefined(mean_absolute_percentage_error(&[1.0, 0.0], &[1.0, 1.0]));
    undefined(r_squared(&[0.1; 3], &[0.1, 0.2, 0.3]));
    undefined(r_squared(&[1e-200, 2e-200], &[0.0, 0.0]));
    undefined(mean_absolute_error(&[f64::MAX], &[f64::MIN]));
    undefined(root_mean_square_error(&[1e200], &[0.0]));
    assert_eq!(r_squared(&[1.0], &[1.0]), Err(MetricError::TooFew { needed: 2, got: 1 }));
}

#[test]
fn zeros_of_symmetric_mape() {
    assert_eq!(symmetric_mape(&[0.0, 0.0], &[0.0, 1.0]), Ok(100.0));
    assert_eq!(symmetric_mape(&[0.0], &[-0.0]), Ok(0.0));
    assert_eq!(symmetric_mape(&[1e-9], &[-1e-9]), Ok(200.0));
}

proptest! {
    #[test]
    fn ranges_and_order(rows in prop::collection::vec((-1e3..1e3, -1e3..1e3), 2..50)) {
        let (truth, predicted): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        let mae = mean_absolute_error(&truth, &predicted).unwrap();
        let rmse = root_mean_square_error(&truth, &predicted).unwrap();
        prop_assert!(0.0 <= mae && mae <= rmse * (1.0 + 1e-12));
        let smape = symmetric_mape(&truth, &predicted).unwrap();
        prop_assert!((0.0..=200.0 + 1e-9).contains(&smape));
        prop_assert_eq!(smape, symmetric_mape(&predicted, &truth).unwrap());
        prop_assert!(r_squared(&truth, &predicted).unwrap() <= 1.0);
        let perfect = METRICS.map(|metric| metric(&truth, &truth).unwrap());
        prop_assert_eq!(perfect, [0.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
