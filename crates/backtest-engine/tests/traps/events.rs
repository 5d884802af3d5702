//! Splits, dividends and delistings, and prices that hold them already.

use backtest_engine::CorporateAction::{Delisting, Dividend, Split};
use backtest_engine::{
    Cause, CorporateAction, EndReason, EngineError, PriceBasis, Sizing, round_trips,
};
use thesis_core::Action::{Buy, Sell, StrongBuy, StrongSell};

use crate::NO;
use crate::support::{World, all_near, equity, near, trades};

#[test]
fn prices_that_hold_an_action_refuse_it() {
    use PriceBasis::{Raw, Splits, SplitsAndDividends};
    let check = |basis: PriceBasis, action: CorporateAction, refused: bool| {
        let world = World::new(&[("A", &[100.0, 100.0])]).event(1, "A", action);
        let market = World { events: vec![], ..world.clone() }.market();
        let result = market.with_events(&world.events, basis);
        let twice = matches!(result, Err(EngineError::CountedTwice { .. }));
        assert_eq!((twice, result.is_ok()), (refused, !refused), "{basis:?} {action:?}");
    };
    check(Raw, Split(2.0), false);
    check(Raw, Dividend(1.0), false);
    check(Splits, Split(2.0), true);
    check(Splits, Dividend(1.0), false);
    check(SplitsAndDividends, Split(2.0), true);
    check(SplitsAndDividends, Dividend(1.0), true);
    check(SplitsAndDividends, Delisting(-1.0), false);
}

#[test]
fn one_factor_on_all_prices_changes_nothing() {
    let closes = [100.0, 90.0, 120.0, 130.0, 110.0];
    let opens = [99.0, 95.0, 100.0, 125.0, 120.0];
    let run = |factor: f64| {
        let scale = |prices: &[f64; 5]| prices.map(|price| price * factor);
        World::new(&[("A", &scale(&closes))])
            .opens("A", &scale(&opens))
            .call(0, "A", StrongBuy)
            .call(1, "A", Buy)
            .call(2, "A", StrongBuy)
            .call(3, "A", Sell)
            .run()
    };
    let whole = equity(&run(1.0));
    all_near(&equity(&run(0.25)), &whole);
    all_near(&equity(&run(37.1)), &whole);
    // One adjusted close beside raw opens would invent a return overnight.
    let mixed = World::new(&[("A", &[50.0, 50.0])]).opens("A", &[100.0, 100.0]);
    near(mixed.call(0, "A", StrongBuy).run().days[1].equity, 500.0);
}

#[test]
fn a_split_changes_shares_and_no_value() {
    let raw = World::new(&[("A", &[100.0, 100.0, 25.0, 30.0])])
        .event(2, "A", Split(4.0))
        .call(0, "A", StrongBuy)
        .call(2, "A", Sell);
    let outcome = raw.run();
    assert_eq!(trades(&outcome), [(1, 0, 10.0, 100.0), (3, 0, -40.0, 30.0)]);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 1_000.0, 1_200.0]);
    assert!(outcome.days.iter().all(|day| day.dividends == 0.0));
    let trips = round_trips(&raw.market(), &outcome.fills);
    assert_eq!((trips.len(), trips[0].quantity, trips[0].profit), (1, 40.0, 200.0));
    // The same prices, adjusted.
    let adjusted = World::new(&[("A", &[25.0, 25.0, 25.0, 30.0])]);
    let adjusted = adjusted.call(0, "A", StrongBuy).call(2, "A", Sell).run();
    all_near(&equity(&adjusted), &equity(&outcome));
}

#[test]
fn orders_of_the_day_of_a_split_are_in_new_shares() {
    // 500 dollars at what was 100 and is 25: 20 shares more than the 20 that 5 have become.
    let world = World::new(&[("A", &[100.0, 100.0, 25.0])])
        .event(2, "A", Split(4.0))
        .call(0, "A", Buy)
        .call(1, "A", StrongBuy);
    assert_eq!(trades(&world.run()), [(1, 0, 5.0, 100.0), (2, 0, 20.0, 25.0)]);
}

#[test]
fn reverse_splits_leave_odd_shares_that_can_be_sold() {
    let world = World::new(&[("A", &[10.0, 10.0, 100.0, 100.0])])
        .event(2, "A", Split(0.1))
        .with(|config| {
            config.limits.lot = Some(1.0);
            config.sizing = Sizing::FixedPct { pct: 0.55 };
        })
        .call(0, "A", StrongBuy)
        .call(2, "A", Sell);
    let outcome = world.run();
    assert_eq!(trades(&outcome), [(1, 0, 55.0, 10.0), (3, 0, -5.5, 100.0)]);
    all_near(&equity(&outcome), &[1_000.0; 4]);
}

#[test]
fn a_short_position_splits_too() {
    let world = World::new(&[("A", &[100.0, 100.0, 50.0, 40.0])])
        .event(2, "A", Split(2.0))
        .with(|config| config.shorts = true)
        .call(0, "A", StrongSell);
    all_near(&equity(&world.run()), &[1_000.0, 1_000.0, 1_000.0, 1_200.0]);
}

#[test]
fn average_volume_is_in_shares_of_the_day() {
    // 100 old shares a day are 400 new ones; a tenth of (400 + 400) / 2.
    let world = World::new(&[("A", &[100.0, 100.0, 25.0])])
        .volumes("A", &[100.0, 100.0, 9e9])
        .event(2, "A", Split(4.0))
        .with(|config| config.limits.adv_fraction = Some(0.1))
        .call(1, "A", StrongBuy);
    assert_eq!(trades(&world.run()), [(2, 0, 40.0, 25.0)]);
}

#[test]
fn estimates_do_not_see_a_split_as_a_return() {
    for sizing in [
        Sizing::VolatilityTarget { annual_target: 0.2, window: 3, max_pct: 9.0 },
        Sizing::Kelly { fraction: 0.1, window: 3, max_pct: 9.0 },
    ] {
        let run = |raw: bool| {
            let after = if raw { 10.0 } else { 1.0 };
            let closes = [100.0, 110.0, 99.0 * after, 108.9 * after, 100.0 * after];
            let mut world = World::new(&[("A", &closes)]).with(|config| config.sizing = sizing);
            if raw {
                world = world.event(2, "A", Split(0.1));
            }
            world.call(3, "A", StrongBuy).run()
        };
        let (raw, plain) = (run(true), run(false));
        assert_eq!(plain.fills.len(), 1);
        near(raw.fills[0].quantity * 10.0, plain.fills[0].quantity);
    }
}

#[test]
fn raw_and_adjusted_differ_by_what_dividends_earn() {
    // 5 of 100 are paid: 10 shares at 95 and 50 in cash. Adjusted prices begin at 95.
    let run = |last: f64| {
        let raw = World::new(&[("A", &[100.0, 100.0, 95.0, last])]).event(2, "A", Dividend(5.0));
        let adjusted = World::new(&[("A", &[95.0, 95.0, 95.0, last])]);
        (raw.call(0, "A", StrongBuy).run(), adjusted.call(0, "A", StrongBuy).run())
    };
    let (raw, adjusted) = run(95.0);
    all_near(&equity(&raw), &[1_000.0; 4]);
    all_near(&equity(&adjusted), &[1_000.0; 4]);
    near(raw.days[2].dividends, 50.0);
    // The next 10 % are earned on the 50 only where they were reinvested.
    let (raw, adjusted) = run(104.5);
    near(raw.days[3].equity, 1_095.0);
    near(adjusted.days[3].equity, 1_100.0);
}

#[test]
fn a_split_and_a_dividend_of_one_day_keep_their_order() {
    // 1 a share on the 20 shares after the split; with the dividend first on the 10 before it.
    let world = World::new(&[("A", &[100.0, 100.0, 49.0])]).call(0, "A", StrongBuy);
    let after = world.clone().event(2, "A", Split(2.0)).event(2, "A", Dividend(1.0)).run();
    near(after.days[2].dividends, 20.0);
    let before = world.event(2, "A", Dividend(1.0)).event(2, "A", Split(2.0)).run();
    near(before.days[2].dividends, 10.0);
}

#[test]
fn short_positions_owe_dividends() {
    let world = World::new(&[("A", &[100.0, 100.0, 95.0])])
        .event(2, "A", Dividend(5.0))
        .with(|config| config.shorts = true)
        .call(0, "A", StrongSell);
    let outcome = world.run();
    near(outcome.days[2].dividends, -50.0);
    all_near(&equity(&outcome), &[1_000.0; 3]);
}

#[test]
fn a_buyer_on_the_ex_date_gets_no_dividend() {
    let world = World::new(&[("A", &[100.0, 100.0, 95.0])]).event(1, "A", Dividend(5.0));
    assert_eq!(world.call(0, "A", StrongBuy).run().days[1].dividends, 0.0);
}

fn delisted(action: thesis_core::Action) -> World {
    World::new(&[("A", &[100.0, 100.0, 80.0, NO, NO, NO, NO])])
        .with(|config| config.shorts = true)
        .call(0, "A", action)
}

#[test]
fn a_delisting_pays_out_at_the_last_close() {
    // Long: 800 less 30 %. Short: it owed 800 and pays 560.
    let long = delisted(StrongBuy).event(3, "A", Delisting(-0.3)).run();
    assert_eq!(trades(&long)[1..], [(3, 0, -10.0, 56.0)]);
    assert_eq!((long.fills[1].cause, long.fills[1].fee), (Cause::Delisting, 0.0));
    all_near(&equity(&long)[2..5], &[800.0, 560.0, 560.0]);
    let short = delisted(StrongSell).event(3, "A", Delisting(-0.3)).run();
    assert_eq!(trades(&short)[1..], [(3, 0, 10.0, 56.0)]);
    all_near(&equity(&short)[2..5], &[1_200.0, 1_440.0, 1_440.0]);
}

#[test]
fn silence_is_a_delisting_where_the_rules_say_so() {
    let silent = |action, payout_return| {
        delisted(action).with(|config| {
            config.delisting.after_sessions = Some(2);
            config.delisting.payout_return = payout_return;
        })
    };
    // Sessions 3 and 4 have no bar; before the open of 5 the holding is paid out.
    let long = silent(StrongBuy, -0.5).run();
    assert_eq!(trades(&long)[1..], [(5, 0, -10.0, 40.0)]);
    all_near(&equity(&long)[2..], &[800.0, 800.0, 800.0, 400.0, 400.0]);
    let short = silent(StrongSell, -1.0).run();
    all_near(&equity(&short)[2..], &[1_200.0, 1_200.0, 1_200.0, 2_000.0, 2_000.0]);
    // A bar again after two sessions is in time only where three may be silent: before the open
    // nobody knows of it.
    for (after, fills) in [(2, 2), (3, 1)] {
        let back = World::new(&[("A", &[100.0, 100.0, NO, NO, 90.0])])
            .with(|config| config.delisting.after_sessions = Some(after))
            .call(0, "A", StrongBuy);
        assert_eq!(back.run().fills.len(), fills);
    }
    // Without a rule it is held at its last close for good.
    all_near(&equity(&delisted(StrongBuy).run())[2..], &[800.0; 5]);
}

#[test]
fn losing_all_of_it_ends_the_run() {
    let outcome = delisted(StrongBuy).event(3, "A", Delisting(-1.0)).run();
    let end = outcome.ended.unwrap();
    assert_eq!((end.reason, outcome.days.len()), (EndReason::EquityGone, 4));
    assert_eq!(outcome.days[3].equity, 0.0);
}

#[test]
fn charges_of_the_days_before_a_delisting_are_paid() {
    // 0.1 % a day on 800 for one day, although the position is gone before the open.
    let world = delisted(StrongSell).event(3, "A", Delisting(0.0));
    let world = world.with(|config| config.costs.borrow_bps = crate::support::bps(3_650.0));
    near(world.run().days[3].borrow, 0.8);
}

#[test]
fn events_beside_the_market() {
    let market = || World::new(&[("A", &[100.0, 100.0])]).market();
    let event = |text: &str, name: &str, action| backtest_engine::Event {
        date: crate::support::date(text),
        ticker: crate::support::ticker(name),
        action,
    };
    let with = |event| market().with_events(&[event], PriceBasis::Raw);
    assert!(with(event("1990-01-01", "A", Split(2.0))).is_ok());
    assert!(with(event("2050-01-01", "A", Split(2.0))).is_ok());
    let unknown = with(event("2021-01-05", "B", Split(2.0)));
    assert!(matches!(unknown, Err(EngineError::UnknownEvent { .. })));
    for action in [Split(0.0), Split(NO), Dividend(-1.0), Dividend(f64::INFINITY), Delisting(-1.5)]
    {
        let refused = with(event("2021-01-05", "A", action));
        assert!(matches!(refused, Err(EngineError::Setting { .. })), "{action:?}");
    }
}
