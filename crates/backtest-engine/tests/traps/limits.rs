//! Shares of volume, of equity in one position and of equity in all.

use backtest_engine::{Cut, DropReason, Sizing};
use thesis_core::Action::{Buy, Sell, StrongBuy, StrongSell};

use crate::NO;
use crate::support::{World, trades};

#[test]
fn the_volume_cap_looks_back_only() {
    let world = World::new(&[("A", &[10.0; 5])])
        .volumes("A", &[100.0, 200.0, 400.0, 9e9, 9e9])
        .with(|config| {
            config.limits.adv_fraction = Some(0.1);
            config.limits.adv_window = 2;
        });
    // A tenth of the mean of 200 and 400; the 9e9 of the day itself count for nothing.
    let outcome = world.clone().call(2, "A", StrongBuy).run();
    assert_eq!((outcome.fills[0].day, outcome.fills[0].quantity), (3, 30.0));
    assert_eq!(outcome.fills[0].cut, Some(Cut::Volume));
    // Sales as well, and a call is not tried again: 30 of 30 shares, 15 of 15.
    let sold = world.call(0, "A", StrongBuy).call(1, "A", Sell).run();
    assert_eq!(trades(&sold), [(1, 0, 10.0, 10.0), (2, 0, -10.0, 10.0)]);
}

#[test]
fn a_missing_bar_is_no_day_of_volume() {
    let world = World::new(&[("A", &[10.0, NO, 10.0, 10.0])])
        .volumes("A", &[100.0, NO, 300.0, 1.0])
        .with(|config| config.limits.adv_fraction = Some(0.1));
    let outcome = world.call(2, "A", StrongBuy).run();
    assert_eq!(outcome.fills[0].quantity, 20.0);
}

#[test]
fn no_volume_in_the_window_fills_nothing() {
    let world = World::new(&[("A", &[10.0; 3])])
        .volumes("A", &[0.0, 0.0, 1e6])
        .with(|config| config.limits.adv_fraction = Some(0.1))
        .call(1, "A", StrongBuy);
    let outcome = world.run();
    assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (0, DropReason::Volume));
    // A tenth of 5 is less than a lot: volume, and not the lot, is to blame.
    let world = world.volumes("A", &[5.0, 5.0, 5.0]).with(|config| config.limits.lot = Some(1.0));
    assert_eq!(world.run().dropped[0].reason, DropReason::Volume);
}

#[test]
fn one_position_is_capped_on_both_sides() {
    let world = World::new(&[("A", &[100.0; 2])]).with(|config| {
        config.shorts = true;
        config.limits.max_position = Some(0.25);
    });
    assert_eq!(trades(&world.clone().call(0, "A", StrongBuy).run()), [(1, 0, 2.5, 100.0)]);
    assert_eq!(trades(&world.call(0, "A", StrongSell).run()), [(1, 0, -2.5, 100.0)]);
}

#[test]
fn all_positions_are_capped_together() {
    let world = World::new(&[("A", &[100.0; 4]), ("B", &[10.0; 4]), ("C", &[5.0; 4])])
        .with(|config| {
            config.shorts = true;
            config.sizing = Sizing::FixedPct { pct: 0.4 };
            config.limits.max_gross = Some(0.5);
        })
        .call(0, "A", StrongSell)
        .call(1, "B", StrongBuy)
        .call(2, "C", StrongBuy);
    let outcome = world.run();
    // 400 short leave 100 of 500 for B, and nothing for C.
    assert_eq!(trades(&outcome), [(1, 0, -4.0, 100.0), (2, 1, 10.0, 10.0)]);
    assert_eq!(outcome.fills[1].cut, Some(Cut::Gross));
    assert_eq!(outcome.dropped[0].reason, DropReason::Gross);
}

#[test]
fn the_cap_on_all_lets_a_position_shrink_or_change_sides() {
    // 300 long go to 400 short: gross may reach 400, of which the 300 do not count twice.
    let world = World::new(&[("A", &[100.0; 4])])
        .with(|config| {
            config.shorts = true;
            config.sizing = Sizing::FixedPct { pct: 0.8 };
            config.limits.max_gross = Some(0.3);
        })
        .call(0, "A", StrongBuy)
        .call(1, "A", StrongSell)
        .call(2, "A", Buy);
    assert_eq!(trades(&world.run()).iter().map(|t| t.2).collect::<Vec<_>>(), [3.0, -6.0, 6.0]);
}

#[test]
fn an_order_that_does_not_add_is_not_capped() {
    // Prices doubled: 600 of 1,300 are more than the cap, and a smaller position is an order still.
    let world = World::new(&[("A", &[100.0, 100.0, 200.0, 200.0])])
        .with(|config| {
            config.sizing = Sizing::FixedPct { pct: 0.3 };
            config.limits.max_gross = Some(0.3);
        })
        .call(0, "A", StrongBuy)
        .call(2, "A", Buy);
    let outcome = world.run();
    // 0.15 of 1,300 are 195.
    assert_eq!(trades(&outcome)[1], (3, 0, 195.0 / 200.0 - 3.0, 200.0));
    assert_eq!(outcome.fills[1].cut, None);
}
