//! The order of orders, what they are sized by, and what they cost.

use backtest_engine::{Cut, DropReason, Sizing, round_trips};
use thesis_core::Action::{Buy, Sell, StrongBuy, StrongSell};

use crate::support::{World, all_near, bps, equity, near, trades, usd};

#[test]
fn from_long_to_short_in_one_order() {
    let world = World::new(&[("A", &[100.0, 100.0, 100.0, 80.0])])
        .with(|config| config.shorts = true)
        .call(0, "A", StrongBuy)
        .call(1, "A", Sell);
    let outcome = world.run();
    assert_eq!(trades(&outcome), [(1, 0, 10.0, 100.0), (2, 0, -15.0, 100.0)]);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 1_000.0, 1_100.0]);
    let trips = round_trips(&world.market(), &outcome.fills);
    assert_eq!((trips.len(), trips[0].quantity, trips[0].profit), (1, 10.0, 0.0));
}

#[test]
fn the_largest_sale_comes_first_then_the_smallest_buy() {
    let flat = [10.0_f64; 3];
    let names = ["A", "B", "C", "D", "E", "F"];
    let columns: Vec<(&str, &[f64])> = names.iter().map(|name| (*name, &flat[..])).collect();
    let mut world = World::new(&columns).with(|c| c.sizing = Sizing::FixedPct { pct: 0.2 });
    for (name, strength) in [("A", 0.5), ("B", 1.0), ("C", 0.5)] {
        world = world.strong_call(0, name, StrongBuy, strength);
    }
    for (name, action) in
        [("A", Sell), ("B", Sell), ("C", Sell), ("D", StrongBuy), ("E", Buy), ("F", Buy)]
    {
        world = world.call(1, name, action);
    }
    let order: Vec<u32> =
        world.run().fills.iter().filter(|fill| fill.day == 2).map(|fill| fill.asset).collect();
    // B sells 200, A and C 100 each; E and F buy 100 each, D 200.
    assert_eq!(order, [1, 0, 2, 4, 5, 3]);
}

#[test]
fn sales_pay_for_buys_of_the_same_open() {
    let world = World::new(&[("A", &[100.0; 3]), ("B", &[10.0; 3])])
        .call(0, "B", StrongBuy)
        .call(1, "B", Sell)
        .call(1, "A", StrongBuy);
    assert_eq!(trades(&world.run())[1..], [(2, 1, -100.0, 10.0), (2, 0, 10.0, 100.0)]);
}

#[test]
fn the_base_is_fixed_before_the_first_fill() {
    // 4 shares of A and 600 in cash, worth 1,000 at the last close. A opens at 50.
    let world = World::new(&[("A", &[100.0, 100.0, 50.0]), ("B", &[10.0, 10.0, 10.0])])
        .with(|config| config.sizing = Sizing::FixedPct { pct: 0.4 })
        .call(0, "A", StrongBuy)
        .call(1, "A", Sell)
        .call(1, "B", StrongBuy);
    let outcome = world.run();
    // 400 of 1,000 and not of the 800 that are left.
    assert_eq!(trades(&outcome)[1..], [(2, 0, -4.0, 50.0), (2, 1, 40.0, 10.0)]);
    near(outcome.days[2].cash, 400.0);
}

#[test]
fn lots_first_then_cash_and_a_partial_buy_pays_its_own_fee() {
    let world = World::new(&[("A", &[30.0; 3])]).with(|config| {
        config.limits.lot = Some(1.0);
        config.costs.fee_bps = bps(100.0);
        config.costs.fixed_fee = usd(2.0);
    });
    // 500 / 30 is 16.7 shares: 16, for 480 and a fee of 4.8 and 2.
    let outcome = world.clone().call(0, "A", Buy).run();
    assert_eq!((outcome.fills[0].quantity, outcome.fills[0].cut), (16.0, None));
    near(outcome.fills[0].fee, 6.8);
    // 1,000 / 30 is 33 shares; but 998 / 30.3 is 32.9: 32, for 960 and a fee of 9.6 and 2.
    let outcome = world.clone().call(0, "A", StrongBuy).run();
    assert_eq!((outcome.fills[0].quantity, outcome.fills[0].cut), (32.0, Some(Cut::Cash)));
    near(outcome.days[1].cash, 28.4);
    // Without lots all of it is spent, to the last cent and no further.
    let outcome = world.clone().with(|c| c.limits.lot = None).call(0, "A", StrongBuy).run();
    near(outcome.fills[0].quantity, 998.0 / 30.3);
    near(outcome.days[1].cash, 0.0);
    assert!(outcome.days[1].cash >= 0.0);
    // 20 / 30 is less than a share.
    let outcome = world.strong_call(0, "A", StrongBuy, 0.02).run();
    assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (0, DropReason::BelowOneLot));
}

#[test]
fn no_cash_no_buy() {
    let world = World::new(&[("A", &[100.0; 4]), ("B", &[10.0; 4])])
        .call(0, "A", StrongBuy)
        .call(1, "B", StrongBuy);
    let outcome = world.run();
    assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (1, DropReason::Cash));
    // Rounding that is left of all cash is no cash.
    for cents in 1..500 {
        let world = World::new(&[("A", &[f64::from(cents) / 7.0; 4]), ("B", &[0.7; 4])])
            .with(|config| config.costs.fee_bps = bps(3.0))
            .call(0, "A", StrongBuy)
            .call(1, "B", StrongBuy);
        let outcome = world.run();
        assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (1, DropReason::Cash));
    }
}

#[test]
fn a_sale_that_costs_more_than_it_brings_needs_cash() {
    // 10 shares at 1 bring 10 and cost 25, with no cash.
    let world = World::new(&[("A", &[100.0, 97.5, 1.0, 1.0])])
        .with(|config| config.costs.fixed_fee = usd(25.0))
        .call(0, "A", StrongBuy)
        .call(1, "A", Sell);
    let outcome = world.run();
    assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (1, DropReason::Cash));
    assert!(outcome.days.iter().all(|day| day.cash >= 0.0));
}

#[test]
fn slippage_and_fees_of_both_sides() {
    let world = World::new(&[("A", &[100.0; 4])])
        .with(|config| {
            config.costs.slippage_bps = bps(10.0);
            config.costs.fee_bps = bps(20.0);
            config.costs.fixed_fee = usd(1.0);
        })
        .call(0, "A", Buy)
        .call(1, "A", Sell);
    let outcome = world.run();
    assert_eq!(trades(&outcome), [(1, 0, 5.0, 100.1), (2, 0, -5.0, 99.9)]);
    // 0.2 % of 500.5 and of 499.5, and 1 each.
    near(outcome.fills[0].fee, 2.001);
    near(outcome.fills[1].fee, 1.999);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0 - 2.501, 1_000.0 - 5.0, 995.0]);
}

#[test]
fn a_call_for_what_is_held_does_not_trade() {
    // No round numbers of shares: what is missing to the targets is rounding.
    for cents in 1..500 {
        let prices = [3.0, 7.0, 11.0, 13.0, 17.0, 19.0].map(|by| [f64::from(cents) / by; 6]);
        let names = ["A", "B", "C", "D", "E", "F"];
        let columns: Vec<(&str, &[f64])> =
            names.iter().zip(&prices).map(|(name, prices)| (*name, &prices[..])).collect();
        let mut world = World::new(&columns);
        for (day, name) in (0..5).flat_map(|day| names.map(|name| (day, name))) {
            world = world.strong_call(day, name, Buy, 0.33);
        }
        let outcome = world.run();
        assert_eq!((outcome.fills.len(), outcome.dropped.len()), (6, 0), "{cents}");
    }
}

#[test]
fn sells_close_or_short() {
    let world = World::new(&[("A", &[100.0; 3])]);
    assert!(world.clone().call(0, "A", StrongSell).run().fills.is_empty());
    let short = world.with(|config| config.shorts = true);
    assert_eq!(trades(&short.clone().call(0, "A", Sell).run()), [(1, 0, -5.0, 100.0)]);
    assert_eq!(trades(&short.call(0, "A", StrongSell).run()), [(1, 0, -10.0, 100.0)]);
}
