//! Borrowed cash, margin calls, and what is left when equity is gone.

use backtest_engine::{Cause, DropReason, EndReason, MissingBar, Sizing};
use thesis_core::Action::{Buy, Sell, StrongBuy, StrongSell};

use crate::NO;
use crate::support::{World, all_near, bps, equity, near, trades};

fn twice(prices: &[f64]) -> World {
    World::new(&[("A", prices)])
        .with(|config| {
            config.limits.leverage = 2.0;
            config.sizing = Sizing::FixedPct { pct: 2.0 };
        })
        .call(0, "A", StrongBuy)
}

#[test]
fn leverage_borrows_up_to_its_limit() {
    let outcome = twice(&[100.0, 100.0, 110.0]).run();
    assert_eq!(trades(&outcome), [(1, 0, 20.0, 100.0)]);
    near(outcome.days[1].cash, -1_000.0);
    near(outcome.days[2].equity, 1_200.0);
    // Three times equity is asked for, and two are to be had.
    let three = twice(&[100.0; 3]).with(|config| config.sizing = Sizing::FixedPct { pct: 3.0 });
    assert_eq!(trades(&three.run()), [(1, 0, 20.0, 100.0)]);
}

#[test]
fn interest_is_paid_on_debt_over_calendar_days() {
    // 0.1 % a day on 1,000; Friday is session 4, Monday session 5.
    let world = twice(&[100.0; 6]).with(|config| config.costs.margin_bps = bps(3_650.0));
    let interest: Vec<f64> = world.run().days.iter().map(|day| day.interest).collect();
    // So is the interest on what no cash is there to pay.
    all_near(&interest, &[0.0, 0.0, 1.0, 1.001, 1.002001, 3.0 * 1.003003001]);
}

#[test]
fn a_margin_call_is_decided_on_a_close_and_met_at_the_next_open() {
    let world = twice(&[100.0, 100.0, 70.0, 65.0, 60.0, 60.0]).call(3, "A", Buy);
    let outcome = world.run();
    // 400 of 1,400 at 70 are enough. 300 of 1,300 at 65 are not: cut to twice 300 at 65, which
    // leaves 600 / 65 shares; the rest is sold at 60.
    let left = 600.0 / 65.0;
    assert_eq!(outcome.fills.len(), 2);
    assert_eq!((outcome.fills[1].day, outcome.fills[1].cause), (4, Cause::MarginCall));
    near(outcome.fills[1].quantity, left - 20.0);
    near(outcome.days[4].cash, -1_000.0 + (20.0 - left) * 60.0);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 400.0, 300.0, 200.0, 200.0]);
    // The call of that close is dropped.
    assert_eq!((outcome.dropped[0].day, outcome.dropped[0].reason), (4, DropReason::MarginCall));
}

#[test]
fn a_carried_call_waits_for_a_margin_call() {
    let world = World::new(&[
        ("A", &[100.0, 100.0, 100.0, 65.0, 80.0, 80.0][..]),
        ("B", &[10.0, 10.0, NO, NO, 10.0, 10.0]),
    ])
    .opens("A", &[100.0, 100.0, 100.0, 65.0, 65.0])
    .with(|config| {
        config.limits.leverage = 2.0;
        config.sizing = Sizing::FixedPct { pct: 2.0 };
        config.missing_bar = MissingBar::Carry;
    })
    .call(0, "A", StrongBuy)
    .strong_call(1, "B", Buy, 0.01);
    let fills = trades(&world.run());
    let days: Vec<(u32, u32)> = fills.iter().map(|fill| (fill.0, fill.1)).collect();
    assert_eq!(days, [(1, 0), (4, 0), (5, 1)]);
}

#[test]
fn a_short_position_has_a_margin_too() {
    // 1,000 short of equity 1,000; at 170 equity is 300 of 1,700: cut to 300 at 170.
    let world = World::new(&[("A", &[100.0, 100.0, 170.0, 170.0])])
        .with(|config| config.shorts = true)
        .call(0, "A", StrongSell);
    let outcome = world.run();
    near(outcome.fills[1].quantity, 10.0 - 300.0 / 170.0);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 300.0, 300.0]);
}

#[test]
fn equity_at_or_below_zero_ends_the_run() {
    let world = World::new(&[("A", &[100.0, 100.0, 200.0, 50.0, 50.0])])
        .with(|config| config.shorts = true)
        .call(0, "A", StrongSell)
        .call(2, "A", StrongBuy)
        .call(3, "A", StrongBuy);
    let outcome = world.run();
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 0.0]);
    let end = outcome.ended.unwrap();
    assert_eq!((end.date, end.reason), (world.dates[2], EndReason::EquityGone));
    assert_eq!(trades(&outcome), [(1, 0, -10.0, 100.0)]);
    let ended: Vec<_> = outcome.dropped.iter().map(|d| (d.day, d.reason)).collect();
    assert_eq!(ended, [(2, DropReason::RunEnded), (2, DropReason::RunEnded)]);
}

#[test]
fn calls_filled_at_the_last_close_are_not_dropped_too() {
    let world = World::new(&[("A", &[100.0, 100.0, 250.0, 50.0])])
        .with(|config| {
            config.shorts = true;
            config.entry_price = backtest_engine::EntryPrice::Close;
        })
        .call(1, "A", StrongSell)
        .call(2, "A", Sell)
        .call(3, "A", StrongBuy);
    let outcome = world.run();
    assert_eq!((outcome.days.len(), outcome.days[2].equity), (3, -500.0));
    assert_eq!(trades(&outcome).len(), 2);
    let ended: Vec<_> = outcome.dropped.iter().map(|d| (d.day, d.reason)).collect();
    assert_eq!(ended, [(2, DropReason::RunEnded)]);
}

#[test]
fn charges_without_cash_are_owed_until_there_is_some() {
    // 1,000 short pay for 2,000 long: no cash is left for a fee of 1 a day.
    let world = World::new(&[("A", &[100.0; 5]), ("B", &[100.0; 5])])
        .with(|config| {
            config.shorts = true;
            config.costs.borrow_bps = bps(3_650.0);
        })
        .call(0, "A", StrongSell)
        .strong_call(0, "B", StrongBuy, 2.0)
        .strong_call(2, "B", StrongBuy, 1.0);
    let outcome = world.run();
    let owed: Vec<f64> = outcome.days.iter().map(|day| day.owed).collect();
    let cash: Vec<f64> = outcome.days.iter().map(|day| day.cash).collect();
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 999.0, 998.0, 997.0]);
    // On session 3 half of B is sold, to all of the equity of 998; on 4 the 3 owed are paid.
    all_near(&owed, &[0.0, 0.0, 1.0, 2.0, 0.0]);
    all_near(&cash, &[1_000.0, 0.0, 0.0, 1_002.0, 999.0]);
}

#[test]
fn a_margin_call_never_adds() {
    // 15 A and 5 B at 100, for a debt of 1,000. At 55 equity is 325 of 1,325: too little. Then B pays
    // five times its price, and twice the new equity of 2,325 is more than the A that are held.
    let world = World::new(&[
        ("A", &[100.0, 100.0, 55.0, 55.0, 55.0][..]),
        ("B", &[100.0, 100.0, 100.0, NO, NO]),
    ])
    .with(|config| {
        config.limits.leverage = 2.0;
        config.limits.maintenance_margin = 0.4;
        config.sizing = Sizing::FixedPct { pct: 1.0 };
    })
    .strong_call(0, "A", StrongBuy, 1.5)
    .strong_call(0, "B", StrongBuy, 0.5)
    .event(3, "B", backtest_engine::CorporateAction::Delisting(4.0));
    let outcome = world.run();
    near(outcome.days[2].equity, 325.0);
    assert!(outcome.fills.iter().all(|fill| fill.cause != Cause::MarginCall));
}
