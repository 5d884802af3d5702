//! Edges and properties of calls against forward returns.

use eval_metrics::MetricError;
use eval_metrics::calls::{HoldRule, action_spread, hit_rate, horizon_table, returns_by_action};
use proptest::prelude::*;
use thesis_core::Action::{self, Buy, Hold, Sell, StrongBuy, StrongSell};

const NAN: f64 = f64::NAN;

#[test]
fn when_a_call_is_right() {
    let check = |call, forward, hold, want: Option<f64>| {
        let got = hit_rate(&[call], &[forward], hold).unwrap();
        assert_eq!(got.rate, want, "{call} at {forward} with {hold:?}");
        assert_eq!(got.judged + got.holds_left_out + got.unknown_returns, 1);
    };
    for hold in [HoldRule::LeaveOut, HoldRule::Band(0.02)] {
        for (call, sign) in [(StrongBuy, 1.0), (Buy, 1.0), (Sell, -1.0), (StrongSell, -1.0)] {
            check(call, sign * 0.001, hold, Some(1.0));
            check(call, sign * -0.001, hold, Some(0.0));
            check(call, 0.0, hold, Some(0.0));
            check(call, sign * f64::MIN_POSITIVE, hold, Some(1.0));
            check(call, NAN, hold, None);
        }
        check(Hold, NAN, hold, None);
    }
    check(Hold, 0.0, HoldRule::LeaveOut, None);
    check(Hold, 0.0, HoldRule::Band(0.0), Some(1.0));
    check(Hold, -0.02, HoldRule::Band(0.02), Some(1.0));
    check(Hold, 0.021, HoldRule::Band(0.02), Some(0.0));
}

#[test]
fn bad_input() {
    let rate =
        |calls: &[Action], returns: &[f64], hold| hit_rate(calls, returns, hold).unwrap_err();
    let band = |band| rate(&[Buy], &[0.1], HoldRule::Band(band));
    for value in [-0.1, NAN, f64::INFINITY] {
        assert!(matches!(band(value), MetricError::OutOfRange { name: "hold band", .. }));
    }
    let leave_out = HoldRule::LeaveOut;
    assert_eq!(rate(&[], &[], leave_out), MetricError::TooFew { needed: 1, got: 0 });
    assert_eq!(rate(&[Buy], &[], leave_out), MetricError::Lengths { left: 1, right: 0 });
    let infinite = MetricError::NotFinite { index: 1 };
    assert_eq!(rate(&[Buy, Buy], &[0.1, f64::INFINITY], leave_out), infinite);
    assert_eq!(returns_by_action(&[Buy, Buy], &[0.1, f64::NEG_INFINITY]), Err(infinite));
}

#[test]
fn returns_that_are_not_known_are_counted_where_they_are() {
    let calls = [Buy, Buy, Hold, Sell, Buy];
    let table = returns_by_action(&calls, &[0.1, NAN, NAN, -0.1, 0.3]).unwrap();
    assert_eq!(table.unknown_returns, 2);
    let [_, buy, hold, sell, strong_sell] = table.actions.as_slice() else { panic!() };
    assert_eq!((buy.count, buy.unknown_returns, buy.mean), (2, 1, Some(0.2)));
    assert_eq!((hold.count, hold.unknown_returns, hold.mean), (0, 1, None));
    assert_eq!((sell.mean, sell.std, sell.t_statistic), (Some(-0.1), None, None));
    assert_eq!((strong_sell.action, strong_sell.count), (StrongSell, 0));
    assert!((buy.t_statistic.unwrap() - 2.0).abs() < 1e-12);
    let equal = returns_by_action(&[Buy; 3], &[0.1; 3]).unwrap().actions[1];
    assert_eq!((equal.std, equal.t_statistic), (Some(0.0), None));
}

#[test]
fn the_spread_is_between_the_ends_that_there_are() {
    let got = action_spread(&[Buy, Hold, StrongSell], &[0.05, 0.01, NAN]).unwrap();
    assert_eq!((got.top.action, got.bottom.action), (Buy, Hold));
    assert!((got.spread - 0.04).abs() < 1e-15);
    assert_eq!((got.t_statistic, got.unknown_returns), (None, 1));
    let equal = action_spread(&[Buy, Buy, Sell, Sell], &[0.1, 0.1, -0.1, -0.1]).unwrap();
    assert_eq!((equal.spread, equal.t_statistic), (0.2, None));
    for (calls, returns) in [([Buy, Buy], [0.1, 0.2]), ([Buy, Sell], [0.1, NAN])] {
        let got = action_spread(&calls, &returns);
        assert!(matches!(got, Err(MetricError::Undefined { .. })), "{got:?}");
    }
}

#[test]
fn one_row_a_horizon() {
    let calls = [Buy, Sell, Hold];
    let (week, month) = ([0.01, 0.02, 0.0], [0.03, -0.01, NAN]);
    let table = horizon_table(&calls, &[(5, &week), (21, &month)], HoldRule::LeaveOut).unwrap();
    let rates: Vec<_> = table.iter().map(|row| (row.horizon_days, row.hit_rate.rate)).collect();
    assert_eq!(rates, [(5, Some(0.5)), (21, Some(1.0))]);
    assert_eq!((table[0].hit_rate.holds_left_out, table[1].hit_rate.unknown_returns), (1, 1));
    let json = serde_json::to_value(table[0]).unwrap();
    assert_eq!((json["horizon_days"].as_u64(), json["hits"].as_u64()), (Some(5), Some(1)));
    assert!(horizon_table(&calls, &[(5, &week[..2])], HoldRule::LeaveOut).is_err());
}

proptest! {
    #[test]
    fn no_call_is_lost(
        rows in prop::collection::vec(
            (0_usize..5, prop_oneof![Just(NAN), Just(0.0), -0.1..0.1]), 1..60),
        band in prop_oneof![Just(None), (0.0..0.05).prop_map(Some)],
    ) {
        let calls: Vec<Action> = rows.iter().map(|(index, _)| Action::ALL[*index]).collect();
        let returns: Vec<f64> = rows.iter().map(|(_, forward)| *forward).collect();
        let rule = band.map_or(HoldRule::LeaveOut, HoldRule::Band);
        let rate = hit_rate(&calls, &returns, rule).unwrap();
        prop_assert!(rate.hits <= rate.judged);
        prop_assert_eq!(rate.judged + rate.holds_left_out + rate.unknown_returns, rows.len() as u64);
        let table = returns_by_action(&calls, &returns).unwrap();
        let counted: u64 = table.actions.iter().map(|row| row.count + row.unknown_returns).sum();
        prop_assert_eq!(counted, rows.len() as u64);

        // Turned calls with turned returns are right as often.
        let turned: Vec<Action> = rows.iter().map(|(index, _)| Action::ALL[4 - index]).collect();
        let losses: Vec<f64> = returns.iter().map(|forward| -forward).collect();
        prop_assert_eq!(hit_rate(&turned, &losses, rule).unwrap(), rate);
    }
}
