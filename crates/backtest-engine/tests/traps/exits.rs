//! The drawdown stop and the end of holding periods.

use backtest_engine::{
    Cause, DrawdownStop, DropReason, EntryPrice, Record, Sizing, simulate_between,
};
use thesis_core::Action::{Buy, Sell, StrongBuy};

use crate::NO;
use crate::support::{World, all_near, equity, near, trades};

fn stopped(prices: &[f64], depth: f64, reentry_after: Option<u32>) -> World {
    let stop = DrawdownStop { depth, reentry_after };
    World::new(&[("A", prices)]).with(|config| config.drawdown_stop = Some(stop))
}

#[test]
fn the_stop_is_decided_on_a_close_and_done_at_the_next_open() {
    let prices = [100.0, 100.0, 79.0, 70.0, 70.0, 70.0, 61.0];
    for entry in [EntryPrice::NextOpen, EntryPrice::Close] {
        let first = if entry == EntryPrice::NextOpen { 0 } else { 1 };
        let world = stopped(&prices, 0.2, None)
            .opens("A", &[100.0, 100.0, 90.0, 60.0, 70.0, 70.0, 65.0])
            .with(|config| config.entry_price = entry)
            .call(first, "A", StrongBuy);
        let outcome = world.run();
        // 790 are not more than 80 % of 1,000; 79 is what was seen, and 60 what is paid.
        assert_eq!(trades(&outcome), [(1, 0, 10.0, 100.0), (3, 0, -10.0, 60.0)], "{entry:?}");
        assert_eq!(outcome.fills[1].cause, Cause::DrawdownStop);
        near(outcome.days[6].equity, 600.0);
    }
}

#[test]
fn calls_count_again_after_the_stop_and_the_peak_is_new() {
    let prices = [100.0, 100.0, 79.0, 70.0, 70.0, 70.0, 61.0];
    let mut world = stopped(&prices, 0.2, Some(2)).opens("A", &[100.0, 100.0, 90.0, 60.0]);
    for day in [0, 2, 3, 4] {
        world = world.call(day, "A", StrongBuy);
    }
    let outcome = world.run();
    let drops: Vec<_> = outcome.dropped.iter().map(|d| (d.day, d.reason)).collect();
    assert_eq!(drops, [(3, DropReason::Stopped), (4, DropReason::Stopped)]);
    // Two sessions out, then 600 at 70; a fall to 61 is 13 % of the new peak.
    assert_eq!(outcome.fills.len(), 3);
    assert_eq!((outcome.fills[2].day, outcome.fills[2].cause), (5, Cause::Call));
    near(outcome.fills[2].quantity, 600.0 / 70.0);
    near(outcome.days[6].equity, 600.0 / 70.0 * 61.0);
}

#[test]
fn a_loss_of_exactly_the_depth_sets_the_stop_off() {
    let at = |price: f64| {
        stopped(&[100.0, 100.0, price, 90.0], 0.2, None).call(0, "A", StrongBuy).run().fills.len()
    };
    assert_eq!((at(80.0), at(80.1)), (2, 1));
}

#[test]
fn the_first_days_loss_counts() {
    // History is known, the call of session 0 fills at the first open, and the day ends at 75.
    let world = stopped(&[100.0, 75.0, 75.0], 0.2, None)
        .opens("A", &[100.0, 100.0, 75.0])
        .call(0, "A", StrongBuy);
    let market = world.market();
    let (calls, _) = world.place(&market);
    let run = simulate_between(&market, &calls, &world.config, Record::Everything, 1..3);
    let outcome = run.unwrap();
    assert_eq!(trades(&outcome), [(1, 0, 10.0, 100.0), (2, 0, -10.0, 75.0)]);
    all_near(&equity(&outcome), &[750.0, 750.0]);
}

#[test]
fn what_cannot_be_sold_is_sold_when_it_can() {
    let world = stopped(&[100.0, 100.0, 70.0, NO, 60.0, 50.0, 50.0], 0.2, None)
        .volumes("A", &[1e6, 1e6, 1e6, NO, 0.0, 1e6, 1e6])
        .call(0, "A", StrongBuy);
    let outcome = world.run();
    assert_eq!(trades(&outcome)[1..], [(5, 0, -10.0, 50.0)]);
    let reasons: Vec<_> = outcome.dropped.iter().map(|d| (d.day, d.reason, d.carried)).collect();
    let (missing, silent) = (DropReason::MissingBar, DropReason::ZeroVolume);
    assert_eq!(reasons, [(3, missing, true), (4, silent, true)]);
    // A tenth of 40 shares a day: 4, 4 and 2.
    let capped = stopped(&[100.0, 100.0, 70.0, 70.0, 70.0, 70.0, 70.0], 0.2, None)
        .volumes("A", &[1e6, 1e6, 40.0, 40.0, 40.0, 40.0, 40.0])
        .with(|config| {
            config.limits.adv_fraction = Some(0.1);
            config.limits.adv_window = 1;
        })
        .call(0, "A", StrongBuy);
    let sold: Vec<f64> = capped.run().fills[1..].iter().map(|fill| fill.quantity).collect();
    assert_eq!(sold, [-4.0, -4.0, -2.0]);
    // Less than a lot a day: tried again and again.
    let outcome = capped.with(|config| config.limits.lot = Some(5.0)).run();
    assert_eq!((outcome.fills.len(), outcome.dropped.len()), (1, 4));
    assert!(outcome.dropped.iter().all(|d| d.reason == DropReason::Volume && d.carried));
}

#[test]
fn a_margin_call_does_not_take_the_place_of_the_stop() {
    // 400 of 1,400: stop and margin call at once, and a halt before either can be met.
    let world = stopped(&[100.0, 100.0, 70.0, NO, 70.0, 70.0], 0.1, None)
        .with(|config| {
            config.limits.leverage = 2.0;
            config.limits.maintenance_margin = 0.4;
            config.sizing = Sizing::FixedPct { pct: 2.0 };
        })
        .call(0, "A", StrongBuy);
    let outcome = world.run();
    assert_eq!(trades(&outcome), [(1, 0, 20.0, 100.0), (4, 0, -20.0, 70.0)]);
    assert_eq!(outcome.fills[1].cause, Cause::DrawdownStop);
}

fn held(sessions: u32, days: usize) -> World {
    World::new(&[("A", &vec![100.0; days])])
        .with(|config| config.holding_sessions = Some(sessions))
        .call(0, "A", StrongBuy)
}

#[test]
fn a_position_is_closed_after_21_sessions() {
    let outcome = held(21, 40).run();
    assert_eq!(trades(&outcome), [(1, 0, 10.0, 100.0), (22, 0, -10.0, 100.0)]);
    assert_eq!(outcome.fills[1].cause, Cause::HoldingPeriod);
    let at_close = held(21, 40).call(1, "A", StrongBuy);
    let outcome = at_close.with(|config| config.entry_price = EntryPrice::Close).run();
    let days: Vec<u32> = outcome.fills.iter().map(|fill| fill.day).collect();
    assert_eq!(days, [1, 22]);
}

#[test]
fn a_new_call_renews_the_period() {
    let last = |world: World| world.run().fills.last().unwrap().day;
    // For the same, where nothing is traded; for half; a HOLD does not.
    assert_eq!(last(held(21, 40).call(10, "A", StrongBuy)), 32);
    assert_eq!(last(held(21, 40).call(10, "A", Buy)), 32);
    assert_eq!(last(held(21, 40).call(10, "A", thesis_core::Action::Hold)), 22);
    // On the very day of the exit.
    assert_eq!(last(held(21, 60).call(21, "A", StrongBuy)), 43);
    // A little less than a lot is missing: renewed all the same, on the day of the exit too.
    let lots = |day| held(21, 60).call(day, "A", StrongBuy).with(|c| c.limits.lot = Some(3.0));
    assert_eq!((last(lots(10)), last(lots(21))), (32, 43));
    // A sale ends it, and nothing is left to sell later.
    let sold = held(21, 40).call(10, "A", Sell).run();
    assert_eq!(trades(&sold)[1..], [(11, 0, -10.0, 100.0)]);
}

#[test]
fn a_new_position_has_a_period_of_its_own() {
    let world = held(5, 40).call(1, "A", Sell).call(3, "A", StrongBuy);
    let days: Vec<u32> = world.run().fills.iter().map(|fill| fill.day).collect();
    assert_eq!(days, [1, 2, 4, 9]);
}

#[test]
fn the_end_of_a_period_waits_for_a_bar() {
    let mut world = held(2, 8);
    world.open[3][0] = NO;
    world.volume[4][0] = 0.0;
    let days: Vec<u32> = world.run().fills.iter().map(|fill| fill.day).collect();
    assert_eq!(days, [1, 5]);
}

#[test]
fn the_end_of_a_period_is_not_lost_to_a_margin_call() {
    // Bought at the open of 1, to be sold at that of 3, which a margin call has to itself.
    let world = World::new(&[("A", &[100.0, 100.0, 65.0, 65.0, 65.0, 65.0])])
        .with(|config| {
            config.limits.leverage = 2.0;
            config.sizing = Sizing::FixedPct { pct: 2.0 };
            config.holding_sessions = Some(2);
        })
        .call(0, "A", StrongBuy);
    let causes: Vec<_> = world.run().fills.iter().map(|fill| (fill.day, fill.cause)).collect();
    let want = [(1, Cause::Call), (3, Cause::MarginCall), (4, Cause::HoldingPeriod)];
    assert_eq!(causes, want);
}
