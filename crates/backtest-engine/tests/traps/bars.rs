//! Missing, halted, silent, duplicate, unsorted and Sunday bars.

use backtest_engine::{Cause, DropReason, EngineError, EntryPrice, Market, MissingBar};
use thesis_core::Action::{Buy, Sell, StrongBuy, StrongSell};

use crate::NO;
use crate::support::{World, all_near, all_of, bps, date, equity, near, trades};

#[test]
fn a_halt_is_valued_at_the_last_close_never_at_entry() {
    let world = World::new(&[("A", &[100.0, 120.0, NO, NO, 90.0])])
        .opens("A", &[100.0, 100.0, NO, NO, 95.0])
        .call(0, "A", StrongBuy);
    let outcome = world.run();
    all_near(&equity(&outcome), &[1_000.0, 1_200.0, 1_200.0, 1_200.0, 900.0]);
    // Nothing is earned while there is no price, and everything when it comes back.
    let profits: Vec<f64> = outcome.days.iter().map(|day| day.profit).collect();
    all_near(&profits, &[0.0, 200.0, 0.0, 0.0, -300.0]);
}

#[test]
fn zero_volume_fills_nothing() {
    for entry in [EntryPrice::NextOpen, EntryPrice::Close] {
        let call = if entry == EntryPrice::NextOpen { 0 } else { 1 };
        let world = World::new(&[("A", &[100.0, 110.0, 125.0])])
            .volumes("A", &[1e6, 0.0, 1e6])
            .with(|config| config.entry_price = entry)
            .call(call, "A", StrongBuy);
        let outcome = world.run();
        assert!(outcome.fills.is_empty());
        assert_eq!(outcome.dropped[0].reason, DropReason::ZeroVolume);
        assert!(!outcome.dropped[0].carried);
        let outcome = world.with(|config| config.missing_bar = MissingBar::Carry).run();
        assert!(outcome.dropped[0].carried);
        assert_eq!(outcome.fills[0].cause, Cause::Carried);
        // Cash buys 8 shares at 125; the price of the day without trades is not to be had.
        assert_eq!(trades(&outcome), [(2, 0, 8.0, 125.0)]);
    }
}

#[test]
fn zero_volume_holds_an_exit_back() {
    let world = World::new(&[("A", &[100.0, 100.0, 80.0, 60.0])])
        .volumes("A", &[1e6, 1e6, 0.0, 1e6])
        .call(0, "A", StrongBuy)
        .call(1, "A", Sell);
    assert_eq!(trades(&world.run()).len(), 1);
    let carried = world.with(|config| config.missing_bar = MissingBar::Carry).run();
    assert_eq!(trades(&carried), [(1, 0, 10.0, 100.0), (3, 0, -10.0, 60.0)]);
}

#[test]
fn no_fill_at_a_price_of_another_day() {
    let world = World::new(&[("A", &[100.0, NO, 125.0])]).call(0, "A", StrongBuy);
    let outcome = world.run();
    assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (0, DropReason::MissingBar));
    let outcome = world.with(|config| config.missing_bar = MissingBar::Carry).run();
    assert_eq!(trades(&outcome), [(2, 0, 8.0, 125.0)]);
    // A bar that has a close and no open has no price at the open.
    let no_open = World::new(&[("A", &[100.0, 110.0, 125.0])]).opens("A", &[100.0, NO, 125.0]);
    let outcome = no_open.call(0, "A", StrongBuy).run();
    assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (0, DropReason::MissingBar));
}

#[test]
fn unknown_volume_fills_but_gives_no_average() {
    let world =
        World::new(&[("A", &[100.0, 100.0])]).volumes("A", &[NO, NO]).call(0, "A", StrongBuy);
    assert_eq!(trades(&world.run()), [(1, 0, 10.0, 100.0)]);
    let outcome = world.with(|config| config.limits.adv_fraction = Some(0.5)).run();
    assert_eq!((outcome.fills.len(), outcome.dropped[0].reason), (0, DropReason::Volume));
}

#[test]
fn duplicate_bars_and_tickers_are_errors() {
    let world = World::new(&[("A", &[100.0, 110.0]), ("B", &[10.0, 11.0])]);
    let mut twice = world.bars();
    let again = twice[1].1[0];
    twice[1].1.push(again);
    let error = Market::from_bars(twice).unwrap_err();
    assert_eq!(error, EngineError::Dates { date: date("2021-01-04") });
    let mut bars = world.bars();
    bars.push(bars[0].clone());
    let ticker = bars[0].0.clone();
    assert_eq!(Market::from_bars(bars).unwrap_err(), EngineError::Tickers { ticker });
}

#[test]
fn unsorted_bars_are_sorted() {
    let world = World::new(&[("A", &[100.0, 110.0, 121.0]), ("B", &[10.0, NO, 11.0])]);
    let mut bars = world.bars();
    bars.swap(0, 1);
    bars[1].1.reverse();
    let market = Market::from_bars(bars).unwrap();
    let closes: Vec<f64> = (0..3).map(|day| market.closes(day)[0]).collect();
    assert_eq!((market.dates(), closes), (&world.dates[..], vec![100.0, 110.0, 121.0]));
    assert!(market.closes(1)[1].is_nan() && market.volumes(1)[1].is_nan());
}

#[test]
fn an_adjusted_close_beside_raw_prices_is_not_looked_at() {
    let world = World::new(&[("A", &[100.0, 110.0])]);
    let mut bars = world.bars();
    bars[0].1.iter_mut().for_each(|bar| bar.adj_close = Some(bar.close / 2.0));
    let market = Market::from_bars(bars).unwrap();
    assert_eq!((market.opens(1), market.closes(1)), (&[110.0][..], &[110.0][..]));
}

#[test]
fn a_calls_weekend_and_holiday_lead_to_the_next_session() {
    // Monday 2021-01-18 was a holiday.
    let world = World::new(&[("A", &[100.0, 100.0, 50.0, 40.0])]).dated(&[
        "2021-01-14",
        "2021-01-15",
        "2021-01-19",
        "2021-01-20",
    ]);
    for day in ["2021-01-16", "2021-01-17", "2021-01-18"] {
        let world = world.clone().dated_call(date(day), "A", StrongBuy, 1.0);
        let (_, placed) = world.place(&world.market());
        assert_eq!((placed.calls, placed.moved, placed.dropped.len()), (1, 1, 0));
        // Sized at Friday's close: 10 shares, at Tuesday's open.
        assert_eq!(trades(&world.run()), [(2, 0, 10.0, 50.0)], "{day}");
        let close = world.with(|config| config.entry_price = EntryPrice::Close);
        assert_eq!(trades(&close.run()), [(2, 0, 10.0, 50.0)], "{day}");
    }
    // Sunday's call is later than Friday's.
    let world = world.call(1, "A", StrongBuy).dated_call(date("2021-01-17"), "A", Sell, 1.0);
    assert!(world.run().fills.is_empty());
    let (_, placed) = world.place(&world.market());
    assert_eq!((placed.conflicting, placed.moved), (2, 1));
}

#[test]
fn a_sunday_bar_is_a_session_like_any_other() {
    // One ticker's stray Sunday makes a session on which the other has no bar.
    let stray = World::new(&[("A", &[100.0, NO, 100.0]), ("B", &[10.0, 10.0, 10.0])])
        .dated(&["2021-01-08", "2021-01-10", "2021-01-11"])
        .call(0, "A", StrongBuy);
    let outcome = stray.run();
    assert_eq!((outcome.days.len(), outcome.dropped[0].reason), (3, DropReason::MissingBar));
    let carried = stray.with(|config| config.missing_bar = MissingBar::Carry).run();
    assert_eq!(trades(&carried), [(2, 0, 10.0, 100.0)]);
}

#[test]
fn the_borrow_fee_runs_over_the_long_weekend() {
    // 36.5 % a year is 0.1 % a day: 4 days from Friday to Tuesday, 1 to the half day's close.
    let world = World::new(&[("A", &[100.0, 100.0, 100.0, 100.0])])
        .dated(&["2021-01-14", "2021-01-15", "2021-01-19", "2021-01-20"])
        .with(|config| {
            config.shorts = true;
            config.costs.borrow_bps = bps(3_650.0);
        })
        .call(0, "A", StrongSell);
    let fees: Vec<f64> = world.run().days.iter().map(|day| day.borrow).collect();
    all_near(&fees, &[0.0, 0.0, 4.0, 1.0]);
}

#[test]
fn a_half_day_is_a_whole_session() {
    // Friday 2021-11-26 closed at 13:00, with little volume: a day of holding, and one of volume.
    let world = World::new(&[("A", &[100.0, 100.0, 100.0, 100.0])])
        .dated(&["2021-11-24", "2021-11-26", "2021-11-29", "2021-11-30"])
        .volumes("A", &[1_000.0, 10.0, 1_000.0, 1_000.0])
        .with(|config| {
            config.holding_sessions = Some(2);
            config.limits.adv_fraction = Some(0.01);
            config.limits.adv_window = 1;
        })
        .call(0, "A", StrongBuy);
    // Bought on the half day with Wednesday's volume in mind, sold two sessions later.
    assert_eq!(trades(&world.run()), [(1, 0, 10.0, 100.0), (3, 0, -10.0, 100.0)]);
}

#[test]
fn runs_do_not_depend_on_days_without_bars_of_others() {
    let alone = World::new(&[("A", &[100.0, 110.0, 99.0])]).call(0, "A", Buy);
    let beside = World::new(&[("A", &[100.0, 110.0, 99.0]), ("Z", &[NO, NO, NO])]);
    let beside = beside.call(0, "A", Buy).call(0, "Z", Sell);
    assert_eq!(all_of(&alone.run()), all_of(&beside.run()));
    near(alone.run().days[2].equity, 1_000.0 - 55.0);
}
