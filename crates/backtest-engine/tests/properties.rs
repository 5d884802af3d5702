//! What must hold of every run, over random markets, calls and rules; `support/ledger.rs` replays
//! each run with a ledger of its own.

mod support;

use std::collections::BTreeMap;

use backtest_engine::{
    CorporateAction, Event, Market, Outcome, Record, round_trips, simulate, simulate_between,
    simulate_each,
};
use proptest::prelude::*;
use support::random::{mutate_after, shuffle, world};
use support::{World, all_of, ledger, prefix};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn the_books_agree_with_a_second_ledger(seed: u64, tickers in 2_usize..=12, days in 5_usize..=80) {
        let world = world(seed, tickers, days);
        ledger::audit(&world, &world.run());
    }

    #[test]
    fn nothing_is_known_before_it_happens(
        seed: u64, tickers in 2_usize..=8, days in 5_usize..=40, part in 0.0..1.0,
    ) {
        let world = world(seed, tickers, days);
        let last = ((days - 1) as f64 * part) as usize;
        let want = prefix(&world.run(), last);
        prop_assert_eq!(&prefix(&world.until(last).run(), last), &want);
        prop_assert_eq!(&prefix(&mutate_after(&world, last, seed).run(), last), &want);
    }

    #[test]
    fn the_order_of_rows_changes_nothing(seed: u64, tickers in 2_usize..=8, days in 5_usize..=40) {
        let world = world(seed, tickers, days);
        let want = all_of(&world.run());
        prop_assert_eq!(&all_of(&shuffle(&world, seed).run()), &want);
        let mut bars = world.bars();
        bars.reverse();
        bars.iter_mut().for_each(|(_, bars)| bars.reverse());
        let market = Market::from_bars(bars).unwrap();
        // Days on which nobody has a bar are no sessions of bars.
        prop_assume!(market.dates() == world.dates);
        let market = market.with_events(&world.events, world.basis).unwrap();
        let (calls, _) = world.place(&market);
        let outcome = simulate(&market, &calls, &world.config, Record::Everything).unwrap();
        prop_assert_eq!(&all_of(&outcome), &want);
    }

    #[test]
    fn days_are_the_same_without_a_record(seed: u64, tickers in 2_usize..=8, days in 5_usize..=40) {
        let world = world(seed, tickers, days);
        let market = world.market();
        let (calls, _) = world.place(&market);
        let whole = world.run();
        let days_alone = simulate(&market, &calls, &world.config, Record::Days).unwrap();
        prop_assert!(days_alone.fills.is_empty() && days_alone.dropped.is_empty());
        prop_assert_eq!(format!("{:?}", days_alone.days), format!("{:?}", whole.days));
        prop_assert_eq!(days_alone.ended, whole.ended);
        let all = 0..world.dates.len();
        let between =
            simulate_between(&market, &calls, &world.config, Record::Everything, all).unwrap();
        prop_assert_eq!(all_of(&between), all_of(&whole));
    }

    #[test]
    fn round_trips_are_the_positions_of_the_fills(
        seed: u64, tickers in 2_usize..=8, days in 5_usize..=80,
    ) {
        let world = world(seed, tickers, days);
        trips_agree(&world, &world.run());
    }
}

/// Follows each security by itself: what came in and went out between two moments without shares.
fn trips_agree(world: &World, outcome: &Outcome) {
    let market = world.market();
    let trips = round_trips(&market, &outcome.fills);
    let scale =
        world.config.initial_cash.value() + outcome.days.iter().map(|d| d.gross).sum::<f64>();
    let mut total = 0.0;
    let mut closed = Vec::new();
    for asset in 0..world.tickers.len() {
        let (mut shares, mut flow, mut opened, mut seen) = (0.0_f64, 0.0, 0, 0);
        let split = |from: usize, to: usize| -> f64 {
            let ratio = |event: &Event| {
                let day = world.session_of(event.date);
                let counts = world.asset(event.ticker.as_str()) == asset
                    && day.is_some_and(|day| from < day && day <= to);
                match event.action {
                    CorporateAction::Split(ratio) if counts => ratio,
                    _ => 1.0,
                }
            };
            world.events.iter().map(ratio).product()
        };
        for fill in outcome.fills.iter().filter(|fill| fill.asset as usize == asset) {
            let cost = |part: f64| -part * fill.price - fill.fee * (part / fill.quantity);
            shares *= split(seen, fill.day as usize);
            seen = fill.day as usize;
            let after = shares + fill.quantity;
            let after = if after.abs() <= 1e-12 * shares.abs() { 0.0 } else { after };
            if shares == 0.0 {
                opened = fill.day;
            }
            if shares * after < 0.0 {
                closed.push((asset, opened, fill.day, flow + cost(-shares)));
                (flow, opened) = (cost(after), fill.day);
            } else {
                flow += cost(fill.quantity);
            }
            if after == 0.0 {
                closed.push((asset, opened, fill.day, flow));
                flow = 0.0;
            }
            shares = after;
        }
        // Shares are in those of the last session, and so must be the last known close.
        let end = outcome.days.len() - 1;
        let last = (0..=end).rev().find(|day| !world.close[*day][asset].is_nan());
        let last = last.map_or(0.0, |day| world.close[day][asset] / split(day, end));
        total += flow + shares * split(seen, end) * last;
    }
    assert_eq!(trips.len(), closed.len());
    for (asset, opened, day, profit) in closed {
        let same = |t: &&backtest_engine::RoundTrip| {
            (t.asset as usize, t.opened, t.closed) == (asset, opened, day)
                && (t.profit - profit).abs() <= 1e-9 * scale
        };
        assert!(trips.iter().any(|trip| same(&trip)), "{asset} {opened} {day} {profit}: {trips:?}");
    }
    total += trips.iter().map(|trip| trip.profit).sum::<f64>();
    let earned: f64 = outcome.days.iter().map(|day| day.profit - day.fees - day.slippage).sum();
    assert!((total - earned).abs() <= 1e-9 * scale, "{total} {earned}");
}

#[test]
fn threads_change_nothing() {
    for seed in 0..4 {
        let base = world(seed, 10, 60);
        let market = base.market();
        let (calls, _) = base.place(&market);
        let entry_price = base.config.entry_price;
        let configs: Vec<_> = (100..140)
            .map(|seed| backtest_engine::BacktestConfig { entry_price, ..world(seed, 2, 5).config })
            .collect();
        let alone: Vec<String> = configs
            .iter()
            .map(|config| all_of(&simulate(&market, &calls, config, Record::Everything).unwrap()))
            .collect();
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let outcomes =
                pool.install(|| simulate_each(&market, &calls, &configs, Record::Everything));
            let each: Vec<String> = outcomes.iter().map(|o| all_of(o.as_ref().unwrap())).collect();
            assert!(each == alone, "{threads} threads");
        }
    }
}

/// One seeded loop that also counts what happened, so that no property holds for want of cases.
#[test]
fn everything_happens() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |name: String| *seen.entry(name).or_default() += 1;
    for seed in 0..1_500 {
        let world = world(seed, 2 + seed as usize % 11, 5 + seed as usize % 76);
        let outcome = world.run();
        ledger::audit(&world, &outcome);
        for fill in &outcome.fills {
            count(format!("{:?}", fill.cause));
            count(format!("cut {:?}", fill.cut));
            count(format!("{:?} {:?}", world.config.entry_price, fill.cause));
        }
        for drop in &outcome.dropped {
            count(format!("{:?}", drop.reason));
            if drop.carried {
                count("carried on".to_owned());
            }
        }
        let (_, placed) = world.place(&world.market());
        placed.dropped.iter().for_each(|(_, reason)| count(format!("{reason:?}")));
        if placed.moved > 0 {
            count("moved".to_owned());
        }
        if outcome.ended.is_some() {
            count("ended".to_owned());
        }
        for day in &outcome.days {
            for (name, happened) in [
                ("dividends", day.dividends != 0.0),
                ("borrow", day.borrow > 0.0),
                ("interest", day.interest > 0.0),
                ("owed", day.owed > 0.0),
                ("debt", day.cash < 0.0),
                ("short", day.net < day.gross),
            ] {
                if happened {
                    count(name.to_owned());
                }
            }
        }
    }
    let wanted = "Call Carried HoldingPeriod DrawdownStop MarginCall Delisting MissingBar ZeroVolume \
        NoPriceYet NoHistory BelowOneLot Cash Gross Volume Stopped NoNextSession \
        BeforeFirstSession UnknownTicker RunEnded ended moved dividends borrow interest owed debt short";
    let mut wanted: Vec<String> = wanted.split_whitespace().map(str::to_owned).collect();
    for name in ["cut Some(Volume)", "cut Some(Gross)", "cut Some(Cash)", "carried on"] {
        wanted.push(name.to_owned());
    }
    for entry in ["NextOpen", "Close"] {
        for cause in ["Call", "Carried", "HoldingPeriod", "DrawdownStop", "MarginCall", "Delisting"]
        {
            wanted.push(format!("{entry} {cause}"));
        }
    }
    for name in wanted {
        let times = seen.get(&name).copied().unwrap_or(0);
        assert!(times >= 5, "{name}: {times} times of {seen:#?}");
    }
}
