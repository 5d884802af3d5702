//! Markets, calls and rules at random: everything that the engine knows happens in some of them.

use backtest_engine::{
    CallRow, CorporateAction, Costs, Delisting, DrawdownStop, EntryPrice, Event, Limits,
    MissingBar, PriceBasis, Sizing,
};
use chrono::Days;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use thesis_core::Action;

use super::{World, bps, ticker, usd, weekdays};

/// A world of so many securities and sessions; a seed gives the same one wherever it is drawn.
pub(crate) fn world(seed: u64, tickers: usize, sessions: usize) -> World {
    let mut rng = Pcg64::seed_from_u64(seed);
    let names: Vec<String> = (0..tickers).map(|i| format!("T{i:02}")).collect();
    let empty = vec![f64::NAN; sessions];
    let columns: Vec<(&str, &[f64])> = names.iter().map(|n| (n.as_str(), &empty[..])).collect();
    let mut world = World::new(&columns);
    world.dates = sessions_with_holidays(&mut rng, sessions);
    world.basis = if rng.random_bool(0.7) { PriceBasis::Raw } else { PriceBasis::Splits };
    for asset in 0..tickers {
        prices(&mut rng, &mut world, asset);
    }
    calls(&mut rng, &mut world);
    rules(&mut rng, &mut world);
    world
}

/// Changes everything after session `last`: prices, volumes, gaps, calls, events.
pub(crate) fn mutate_after(world: &World, last: usize, seed: u64) -> World {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut other = world.clone();
    for day in last + 1..world.dates.len() {
        for asset in 0..world.tickers.len() {
            let mut value = |was: f64| match rng.random_range(0..4) {
                0 => f64::NAN,
                _ => (if was.is_nan() { 50.0 } else { was }) * rng.random_range(0.3..3.0),
            };
            other.open[day][asset] = value(world.open[day][asset]);
            other.close[day][asset] = value(world.close[day][asset]);
            other.volume[day][asset] = value(world.volume[day][asset]);
        }
    }
    let end = world.dates[last];
    other.calls.retain(|call| call.date <= end);
    other.events.retain(|event| event.date <= end);
    for day in last + 1..world.dates.len() {
        for name in &world.tickers {
            if rng.random_bool(0.5) {
                other = other.call(day, name.as_str(), *Action::ALL.choose(&mut rng).expect("one"));
            }
            if world.basis == PriceBasis::Raw && rng.random_bool(0.05) {
                other = other.event(day, name.as_str(), CorporateAction::Split(3.0));
            }
        }
    }
    other
}

/// The same rows in another order.
pub(crate) fn shuffle(world: &World, seed: u64) -> World {
    let mut other = world.clone();
    other.calls.shuffle(&mut Pcg64::seed_from_u64(seed));
    other
}

fn sessions_with_holidays(rng: &mut Pcg64, sessions: usize) -> Vec<chrono::NaiveDate> {
    let mut dates = weekdays(sessions * 2);
    dates.retain(|_| !rng.random_bool(0.05));
    dates.truncate(sessions);
    dates
}

fn prices(rng: &mut Pcg64, world: &mut World, asset: usize) {
    let sessions = world.dates.len();
    let name = world.tickers[asset].clone();
    let cents = rng.random_bool(0.3);
    let rounded = |price: f64| if cents { (price * 100.0).round().max(1.0) / 100.0 } else { price };
    let mut price: f64 = 5.0 * 100_f64.powf(rng.random());
    let volume: f64 = 10_f64.powf(rng.random_range(3.0..6.0));
    let first = if rng.random_bool(0.2) { rng.random_range(0..sessions) } else { 0 };
    let end = if rng.random_bool(0.2) { rng.random_range(first..sessions) } else { sessions };
    let mut halted_until = 0;
    let still = rng.random_bool(0.05);
    for day in first..end {
        if world.basis == PriceBasis::Raw && rng.random_bool(0.02) {
            let ratio = *[2.0, 3.0, 1.5, 0.1, 0.25].choose(rng).expect("one");
            price /= ratio;
            event(world, day, &name, CorporateAction::Split(ratio));
        }
        if rng.random_bool(0.03) {
            let amount = price * rng.random_range(0.0..0.05);
            event(world, day, &name, CorporateAction::Dividend(amount));
        }
        if rng.random_bool(0.03) {
            halted_until = day + rng.random_range(2..9);
        }
        let jump = if rng.random_bool(0.04) { rng.random_range(-0.6..0.6) } else { 0.0 };
        let open = price * (1.0 + if still { 0.0 } else { jump + rng.random_range(-0.02..0.02) });
        price = open * (1.0 + if still { 0.0 } else { rng.random_range(-0.03..0.03) });
        if day < halted_until || rng.random_bool(0.04) {
            continue;
        }
        world.open[day][asset] = if rng.random_bool(0.01) { f64::NAN } else { rounded(open) };
        world.close[day][asset] = if rng.random_bool(0.01) { f64::NAN } else { rounded(price) };
        world.volume[day][asset] = match rng.random_range(0..100) {
            0..3 => 0.0,
            3 => f64::NAN,
            _ => (volume * rng.random_range(0.5..2.0)).round(),
        };
    }
    if end < sessions && rng.random_bool(0.4) {
        let part = *[-1.0, -0.5, 0.0, 0.2].choose(rng).expect("one");
        event(world, end, &name, CorporateAction::Delisting(part));
    }
}

fn event(world: &mut World, day: usize, ticker: &thesis_core::Ticker, action: CorporateAction) {
    world.events.push(Event { date: world.dates[day], ticker: ticker.clone(), action });
}

fn calls(rng: &mut Pcg64, world: &mut World) {
    let density = *[0.05, 0.2, 0.6, 1.0].choose(rng).expect("one");
    let strengths = rng.random_bool(0.5);
    let mut rows = Vec::new();
    for date in &world.dates {
        for ticker in &world.tickers {
            if rng.random_bool(density) {
                let action = *Action::ALL.choose(rng).expect("one");
                let strength = if strengths { rng.random_range(0.0..1.5) } else { 1.0 };
                // Some on the day after, which may be no session.
                let late = u64::from(rng.random_bool(0.05));
                let date = date.checked_add_days(Days::new(late)).expect("a date");
                rows.push(CallRow { date, ticker: ticker.clone(), action, strength });
            }
        }
    }
    // One row a date and ticker, so that the order of rows means nothing.
    rows.sort_by(|a, b| (a.date, &a.ticker).cmp(&(b.date, &b.ticker)));
    rows.dedup_by(|a, b| (a.date, &a.ticker) == (b.date, &b.ticker));
    if rng.random_bool(0.1) {
        let (date, action, strength) = (world.dates[0], Action::Buy, 1.0);
        rows.push(CallRow { date, ticker: ticker("NOWHERE"), action, strength });
        let date = date.checked_sub_days(Days::new(30)).expect("a date");
        rows.push(CallRow { date, ticker: world.tickers[0].clone(), action, strength });
    }
    world.calls = rows;
}

fn rules(rng: &mut Pcg64, world: &mut World) {
    let config = &mut world.config;
    config.initial_cash = usd(*[1e3, 1e5, 1e6].choose(rng).expect("one"));
    let entries = [EntryPrice::NextOpen, EntryPrice::Close];
    config.entry_price = *entries.choose(rng).expect("one");
    config.missing_bar = if rng.random_bool(0.5) { MissingBar::Carry } else { MissingBar::Drop };
    config.shorts = rng.random_bool(0.5);
    let window = rng.random_range(2..8);
    let max_pct = rng.random_range(0.1..1.5);
    config.sizing = match rng.random_range(0..4) {
        0 => {
            Sizing::VolatilityTarget { annual_target: rng.random_range(0.02..0.5), window, max_pct }
        }
        1 => Sizing::Kelly { fraction: rng.random_range(0.01..1.0), window, max_pct },
        _ => Sizing::FixedPct { pct: rng.random_range(0.02..1.2) },
    };
    config.holding_sessions = rng.random_bool(0.4).then(|| rng.random_range(1..10));
    let mut rate = |rates: &[f64]| bps(*rates.choose(rng).expect("one"));
    config.costs = Costs {
        fee_bps: rate(&[0.0, 1.0, 20.0, 100.0]),
        slippage_bps: rate(&[0.0, 5.0, 50.0]),
        borrow_bps: rate(&[0.0, 50.0, 5_000.0]),
        margin_bps: rate(&[0.0, 600.0, 5_000.0]),
        fixed_fee: usd(rate(&[0.0, 0.0, 1.0, 25.0]).value()),
    };
    let leverage = *[1.0, 1.0, 1.5, 2.0, 3.0].choose(rng).expect("one");
    let mut maybe = |chance: f64, values: &[f64]| {
        let value = *values.choose(rng).expect("one");
        rng.random_bool(chance).then_some(value)
    };
    config.limits = Limits {
        lot: maybe(0.4, &[1.0, 10.0, 0.1]),
        adv_fraction: maybe(0.3, &[0.001, 0.01, 0.1]),
        adv_window: maybe(0.5, &[1.0, 5.0]).map_or(20, |days| days as usize),
        max_position: maybe(0.3, &[0.1, 0.3, 0.8]),
        max_gross: maybe(0.3, &[0.5, 1.0, 1.5]),
        leverage,
        maintenance_margin: maybe(0.7, &[0.25, 0.3, 0.33]).unwrap_or(0.0),
    };
    config.drawdown_stop = rng.random_bool(0.4).then(|| DrawdownStop {
        depth: *[0.02, 0.1, 0.3].choose(rng).expect("one"),
        reentry_after: rng.random_bool(0.8).then(|| rng.random_range(1..6)),
    });
    config.delisting = Delisting {
        after_sessions: rng.random_bool(0.4).then(|| rng.random_range(1..6)),
        payout_return: *[-1.0, -0.3, 0.0, 0.5].choose(rng).expect("one"),
    };
}
