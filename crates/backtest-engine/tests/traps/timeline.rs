//! What is known when: no look-ahead, and no dependence on the order of rows.

use backtest_engine::{
    BacktestConfig, DrawdownStop, DropReason, EntryPrice, Market, MissingBar, Record, Sizing,
    simulate,
};
use thesis_core::Action::{self, Buy, Sell, StrongBuy};

use crate::support::random::{mutate_after, shuffle, world};
use crate::support::{World, all_near, all_of, equity, prefix, trades};

/// All rules at once.
fn strict(config: &mut BacktestConfig, entry_price: EntryPrice, sizing: Sizing) {
    config.entry_price = entry_price;
    config.sizing = sizing;
    config.shorts = true;
    config.missing_bar = MissingBar::Carry;
    config.holding_sessions = Some(7);
    config.drawdown_stop = Some(DrawdownStop { depth: 0.1, reentry_after: Some(2) });
    config.limits.leverage = 2.0;
    config.limits.maintenance_margin = 0.4;
    config.limits.adv_fraction = Some(0.5);
    config.limits.lot = Some(1.0);
    config.delisting.after_sessions = Some(3);
    config.delisting.payout_return = -0.5;
}

const SIZINGS: [Sizing; 3] = [
    Sizing::FixedPct { pct: 0.6 },
    Sizing::VolatilityTarget { annual_target: 0.4, window: 3, max_pct: 1.0 },
    Sizing::Kelly { fraction: 0.3, window: 3, max_pct: 1.0 },
];

#[test]
fn rows_after_t_change_nothing_at_or_before_t() {
    let mut fills = 0;
    for seed in 0..4 {
        for entry in [EntryPrice::NextOpen, EntryPrice::Close] {
            for sizing in SIZINGS {
                let mut world = world(seed, 5, 22).with(|config| strict(config, entry, sizing));
                world.calls.clear();
                for day in 0..22 {
                    for (asset, name) in ["T00", "T01", "T02", "T03", "T04"].iter().enumerate() {
                        let action = Action::ALL[(day * 7 + asset * 3 + seed as usize) % 5];
                        world = world.call(day, name, action);
                    }
                }
                let whole = world.run();
                fills += whole.fills.len();
                for last in 0..world.dates.len() {
                    let want = prefix(&whole, last);
                    let mutated = mutate_after(&world, last, seed).run();
                    assert_eq!(prefix(&mutated, last), want, "{entry:?} {sizing:?} {last}");
                    assert_eq!(prefix(&world.until(last).run(), last), want);
                }
            }
        }
    }
    assert!(fills > 500, "{fills}");
}

#[test]
fn signals_a_day_later_change_the_result() {
    let world = World::new(&[("A", &[100.0, 100.0, 120.0, 120.0])]);
    let at = |day| equity(&world.clone().call(day, "A", StrongBuy).run());
    all_near(&at(0), &[1_000.0, 1_000.0, 1_200.0, 1_200.0]);
    all_near(&at(1), &[1_000.0; 4]);
}

#[test]
fn a_call_fills_at_the_next_open_or_at_its_own_close() {
    let world = World::new(&[("A", &[100.0, 110.0, 120.0])])
        .opens("A", &[100.0, 105.0, 115.0])
        .with(|config| config.sizing = Sizing::FixedPct { pct: 0.5 })
        .call(1, "A", StrongBuy);
    // Sized at 110, the last close before the open: 500 / 110 shares.
    let outcome = world.run();
    assert_eq!(trades(&outcome), [(2, 0, 500.0 / 110.0, 115.0)]);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 1_000.0 + 500.0 / 110.0 * 5.0]);
    // Sized at 100, the last close before that close, and never by the price that it gets.
    let outcome = world.with(|config| config.entry_price = EntryPrice::Close).run();
    assert_eq!(trades(&outcome), [(1, 0, 5.0, 110.0)]);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 1_050.0]);
}

#[test]
fn nothing_is_sized_before_a_first_close() {
    let world = World::new(&[("A", &[100.0, 100.0]), ("B", &[f64::NAN, 50.0])])
        .call(0, "B", StrongBuy)
        .with(|config| config.missing_bar = MissingBar::Carry);
    let dropped = world.run().dropped;
    assert_eq!((dropped[0].reason, dropped[0].carried), (DropReason::NoPriceYet, false));
    let close = world.with(|config| config.entry_price = EntryPrice::Close);
    let close = close.call(0, "A", StrongBuy).run();
    assert_eq!(close.dropped[0].reason, DropReason::NoPriceYet);
}

#[test]
fn the_last_days_call_never_fills_at_the_next_open_and_is_counted() {
    let world = World::new(&[("A", &[100.0, 100.0])]).call(1, "A", StrongBuy).call(1, "A", Buy);
    let outcome = world.run();
    assert!(outcome.fills.is_empty());
    let reasons: Vec<_> = outcome.dropped.iter().map(|d| (d.day, d.reason)).collect();
    assert_eq!(reasons, [(1, DropReason::NoNextSession)]);
    // A sale of nothing is no order.
    assert!(World::new(&[("A", &[1.0, 1.0])]).call(1, "A", Sell).run().dropped.is_empty());
    let close = world.with(|config| config.entry_price = EntryPrice::Close).run();
    assert_eq!((close.fills.len(), close.dropped.len()), (1, 0));
}

#[test]
fn the_order_of_tickers_bars_and_calls_changes_nothing() {
    for seed in 10..20 {
        let world = world(seed, 6, 30);
        let want = all_of(&world.run());
        let shuffled = shuffle(&world, seed);
        let mut bars = shuffled.bars();
        bars.rotate_left(2);
        bars.iter_mut().for_each(|(_, bars)| bars.reverse());
        let market = Market::from_bars(bars).unwrap();
        assert_eq!(market.dates(), world.dates);
        let market = market.with_events(&world.events, world.basis).unwrap();
        let (calls, _) = shuffled.place(&market);
        let outcome = simulate(&market, &calls, &world.config, Record::Everything).unwrap();
        assert_eq!(all_of(&outcome), want);
    }
}

/// Rows beside the market are no part of the run; see `nothing_is_sized_before_a_first_close`.
#[test]
fn a_late_listing_trades_from_its_second_session_on() {
    let world = World::new(&[("A", &[f64::NAN, 10.0, 20.0, 40.0])]);
    let outcome = world.call(1, "A", StrongBuy).run();
    assert_eq!(trades(&outcome), [(2, 0, 50.0, 20.0)]);
    all_near(&equity(&outcome), &[1_000.0, 1_000.0, 1_000.0, 2_000.0]);
}
