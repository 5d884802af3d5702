//! Several calls for one ticker and day, carried calls, and rows without a place.

use backtest_engine::{Cause, Conflict, DropReason, EntryPrice, MissingBar, Sizing};
use thesis_core::Action::{self, Buy, Hold, Sell, StrongBuy, StrongSell};

use crate::NO;
use crate::support::{World, date, trades};

fn shares_after(rule: Conflict, said: &[Action]) -> f64 {
    let mut world = World::new(&[("A", &[100.0, 100.0])]);
    world.conflict = rule;
    for action in said {
        world = world.call(0, "A", *action);
    }
    let (_, placed) = world.place(&world.market());
    assert_eq!((placed.calls, placed.conflicting), (1, said.len()));
    trades(&world.run()).first().map_or(0.0, |fill| fill.2)
}

#[test]
fn conflicts_end_in_one_call() {
    // 10 shares are a strong buy, 5 a buy.
    let said = [StrongBuy, StrongBuy, Sell, Buy];
    assert_eq!(shares_after(Conflict::Last, &said), 5.0);
    // 2 + 2 − 1 + 1 is 1 a head.
    assert_eq!(shares_after(Conflict::Mean, &said), 5.0);
    assert_eq!(shares_after(Conflict::Majority, &said), 10.0);
    assert_eq!(shares_after(Conflict::Last, &[Sell, StrongBuy, Hold]), 0.0);
    // 0.5 goes towards HOLD; 1.5 towards BUY.
    assert_eq!(shares_after(Conflict::Mean, &[Buy, Hold]), 0.0);
    assert_eq!(shares_after(Conflict::Mean, &[StrongBuy, Buy]), 5.0);
    assert_eq!(shares_after(Conflict::Majority, &[StrongBuy, StrongSell]), 0.0);
}

#[test]
fn calls_on_other_days_do_not_conflict() {
    let world = World::new(&[("A", &[100.0; 4])]).call(0, "A", StrongBuy).call(1, "A", Sell);
    let (_, placed) = world.place(&world.market());
    assert_eq!((placed.calls, placed.conflicting), (2, 0));
    assert_eq!(trades(&world.run()), [(1, 0, 10.0, 100.0), (2, 0, -10.0, 100.0)]);
}

#[test]
fn rows_without_a_place_are_counted() {
    let world = World::new(&[("A", &[100.0, 100.0])])
        .call(0, "NOWHERE", Buy)
        .dated_call(date("2020-12-31"), "A", Buy, 1.0)
        .dated_call(date("2021-03-01"), "A", Buy, 1.0)
        .strong_call(0, "A", Buy, f64::NAN)
        .strong_call(0, "A", Buy, -1.0);
    let (_, placed) = world.place(&world.market());
    let want = [
        (0, DropReason::UnknownTicker),
        (1, DropReason::BeforeFirstSession),
        (2, DropReason::NoNextSession),
        (3, DropReason::BadStrength),
        (4, DropReason::BadStrength),
    ];
    assert_eq!((placed.calls, &placed.dropped[..]), (0, &want[..]));
    assert!(world.run().fills.is_empty());
    // A close before the first session was over; the first session's own is yet to come.
    let close = world.with(|config| config.entry_price = EntryPrice::Close);
    assert_eq!(close.place(&close.market()).1.calls, 1);
}

/// A and B have no bar on sessions 1 and 2; `later` is called for A on session 1.
fn carried(later: &[(usize, Action)]) -> World {
    let mut world = World::new(&[("A", &[100.0, NO, NO, 50.0, 50.0])])
        .with(|config| config.missing_bar = MissingBar::Carry)
        .call(0, "A", StrongBuy);
    for (day, action) in later {
        world = world.call(*day, "A", *action);
    }
    world
}

#[test]
fn a_carried_call_is_tried_until_it_fills() {
    let outcome = carried(&[]).run();
    // Its weight was set when it was called, its size is today's: 1,000 at the last close of 100.
    assert_eq!(trades(&outcome), [(3, 0, 10.0, 50.0)]);
    assert_eq!(outcome.fills[0].cause, Cause::Carried);
    let drops: Vec<_> = outcome.dropped.iter().map(|d| (d.day, d.reason, d.carried)).collect();
    let missing = DropReason::MissingBar;
    assert_eq!(drops, [(1, missing, true), (2, missing, true)]);
}

#[test]
fn a_newer_call_takes_the_place_of_a_carried_one() {
    assert_eq!(trades(&carried(&[(1, Buy)]).run()), [(3, 0, 5.0, 50.0)]);
    // On the very day on which the carried one could fill.
    let outcome = carried(&[(2, Buy)]).run();
    assert_eq!(trades(&outcome), [(3, 0, 5.0, 50.0)]);
    assert_eq!(outcome.fills[0].cause, Cause::Call);
}

#[test]
fn hold_does_not_replace_a_carried_call() {
    assert_eq!(trades(&carried(&[(1, Hold), (2, Hold)]).run()), [(3, 0, 10.0, 50.0)]);
}

#[test]
fn a_sale_of_nothing_cancels_a_carried_buy() {
    for day in [1, 2] {
        assert!(carried(&[(day, Sell)]).run().fills.is_empty(), "{day}");
    }
}

#[test]
fn a_newer_call_that_cannot_be_sized_cancels_a_carried_one() {
    // Two equal returns have no variance. 110 and 100 gave the first call its history.
    let kelly = Sizing::VolatilityTarget { annual_target: 9.0, window: 2, max_pct: 1.0 };
    let closes = [100.0, 110.0, 100.0, 100.0, 100.0, 100.0];
    let mut world = World::new(&[("A", &closes)])
        .volumes("A", &[1e6, 1e6, 1e6, 0.0, 0.0, 1e6])
        .with(|config| {
            config.missing_bar = MissingBar::Carry;
            config.sizing = kelly;
        })
        .call(2, "A", StrongBuy);
    assert_eq!(trades(&world.run()), [(5, 0, 10.0, 100.0)]);
    world = world.call(4, "A", Buy);
    let outcome = world.run();
    assert!(outcome.fills.is_empty(), "{:?}", outcome.fills);
    assert_eq!(outcome.dropped.last().unwrap().reason, DropReason::NoHistory);
}

#[test]
fn hold_is_no_order() {
    let world = World::new(&[("A", &[100.0, 100.0, 200.0, 50.0])]).call(0, "A", Buy);
    let held = world.clone().call(1, "A", Hold).call(2, "A", Hold);
    assert_eq!(trades(&held.run()), trades(&world.run()));
    assert_eq!(held.run().dropped, []);
}
