//! Input that nobody means: an error or an outcome, never a panic, and never a number that is none
//! without a word.

use backtest_engine::{
    BacktestConfig, Calls, Conflict, EndReason, EngineError, EntryPrice, Market, Record, Sizing,
    baselines, round_trips, simulate, simulate_between, simulate_each,
};
use thesis_core::Action::{Buy, Sell, StrongBuy, StrongSell};

use crate::NO;
use crate::support::{World, bps, ticker, usd, weekdays};

fn run_all(market: &Market, calls: &Calls, config: &BacktestConfig) {
    let entries = [EntryPrice::NextOpen, EntryPrice::Close];
    let sizings = [
        Sizing::FixedPct { pct: 1.0 },
        Sizing::VolatilityTarget { annual_target: 0.2, window: usize::MAX, max_pct: 1.0 },
        Sizing::Kelly { fraction: 1e300, window: 2, max_pct: 1e300 },
    ];
    for entry_price in entries {
        for sizing in sizings {
            let config = BacktestConfig { entry_price, sizing, ..*config };
            let outcome = simulate(market, calls, &config, Record::Everything).expect("a run");
            round_trips(market, &outcome.fills);
            let numbers = outcome.days.iter().rev().skip(1);
            assert!(numbers.into_iter().all(|day| day.equity.is_finite() && day.equity > 0.0));
            if let Some(day) = outcome.days.last() {
                let whole = day.equity.is_finite() && day.equity > 0.0;
                assert_eq!(whole, outcome.ended.is_none(), "{day:?}");
            }
        }
    }
}

#[test]
fn empty_markets() {
    let days = weekdays(3);
    let shapes = [
        (vec![], vec![]),
        (vec![], vec![ticker("A")]),
        (days.clone(), vec![]),
        (days[..1].to_vec(), vec![ticker("A")]),
    ];
    for (dates, tickers) in shapes {
        let none = vec![NO; dates.len() * tickers.len()];
        let market = Market::new(dates, tickers, none.clone(), none.clone(), none).unwrap();
        let calls = Calls::none(&market);
        run_all(&market, &calls, &BacktestConfig::default());
        for calls in [
            baselines::buy_and_hold(&market, 0),
            baselines::equal_weight(&market, 0),
            baselines::momentum(&market, 0),
        ] {
            run_all(&market, &calls.unwrap(), &BacktestConfig::default());
        }
        baselines::random_calls(&calls, 1);
    }
    let nothing = Market::from_bars(vec![]).unwrap();
    assert!(
        simulate(&nothing, &Calls::none(&nothing), &BacktestConfig::default(), Record::Days)
            .unwrap()
            .days
            .is_empty()
    );
    let (_, placed) = Calls::place(&nothing, &[], EntryPrice::Close, Conflict::Mean);
    assert_eq!(placed, Default::default());
    let bars = Market::from_bars(vec![(ticker("A"), vec![])]).unwrap();
    assert_eq!((bars.dates().len(), bars.tickers().len()), (0, 1));
}

#[test]
fn nothing_panics() {
    let extremes = [f64::MIN_POSITIVE, 5e-324, 1e-300, 1.0, 1e300, f64::MAX, NO];
    for first in extremes {
        for second in extremes {
            for cash in [5e-324, 1.0, f64::MAX] {
                let prices = [first, first, second, first, second, second];
                let world = World::new(&[("A", &prices), ("B", &[1.0, 1.1, 1.0, 1.2, 1.0, 1.1])])
                    .volumes("A", &[0.0, 1e300, f64::MAX, f64::INFINITY, NO, 1.0])
                    .with(|config| {
                        config.initial_cash = usd(cash);
                        config.shorts = true;
                        config.limits.leverage = 3.0;
                        config.limits.lot = Some(1e-9);
                        config.limits.adv_fraction = Some(1e9);
                        config.limits.adv_window = usize::MAX;
                        config.holding_sessions = Some(u32::MAX);
                        config.delisting.after_sessions = Some(u32::MAX);
                        config.costs.borrow_bps = bps(1e300);
                        config.costs.fee_bps = bps(1e6);
                    });
                let world = world
                    .strong_call(0, "A", StrongBuy, f64::MAX)
                    .call(1, "A", StrongSell)
                    .call(2, "B", StrongSell)
                    .strong_call(3, "A", Buy, 1e-300)
                    .call(4, "A", Sell);
                let market = world.market();
                let (calls, _) = world.place(&market);
                run_all(&market, &calls, &world.config);
            }
        }
    }
}

#[test]
fn amounts_that_are_too_large_end_the_run() {
    let world = World::new(&[("A", &[1.0, 1.0, 1e300, 1e300])])
        .with(|config| config.initial_cash = usd(1e300))
        .call(0, "A", StrongBuy);
    let outcome = world.run();
    assert_eq!(outcome.ended.unwrap().reason, EndReason::Overflow);
    assert_eq!(outcome.days.len(), 3);
}

#[test]
fn columns_of_another_shape() {
    let market = World::new(&[("A", &[1.0, 2.0]), ("B", &[1.0, 2.0])]).market();
    let other = World::new(&[("A", &[1.0, 2.0])]).market();
    let config = BacktestConfig::default();
    let error = simulate(&market, &Calls::none(&other), &config, Record::Days).unwrap_err();
    assert!(matches!(error, EngineError::Calls { calls_tickers: 1, tickers: 2, .. }));
    let error = Calls::new(&market, vec![None; 3], None).unwrap_err();
    assert!(matches!(error, EngineError::Shape { column: "actions", got: 3, .. }));
    for strength in [-1.0, NO, f64::INFINITY] {
        let error = Calls::new(&market, vec![None; 4], Some(vec![strength; 4])).unwrap_err();
        assert!(matches!(error, EngineError::Setting { key: "strength", .. }));
    }
    let dates = weekdays(2);
    let new = |dates: &[chrono::NaiveDate], names: &[&str], values: Vec<f64>| {
        let tickers = names.iter().map(|name| ticker(name)).collect();
        Market::new(dates.to_vec(), tickers, values.clone(), values.clone(), values)
    };
    let twice = [dates[0], dates[0]];
    assert!(matches!(new(&twice, &["A"], vec![1.0; 2]), Err(EngineError::Dates { .. })));
    assert!(matches!(new(&dates, &["B", "A"], vec![1.0; 4]), Err(EngineError::Tickers { .. })));
    assert!(matches!(new(&dates, &["A"], vec![1.0; 3]), Err(EngineError::Shape { .. })));
    for price in [0.0, -1.0, f64::INFINITY] {
        assert!(matches!(new(&dates, &["A"], vec![1.0, price]), Err(EngineError::Price { .. })));
    }
    let one = vec![1.0];
    let below = Market::new(dates[..1].to_vec(), vec![ticker("A")], one.clone(), one, vec![-1.0]);
    assert!(matches!(below, Err(EngineError::Volume { .. })));
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
fn ranges_of_sessions() {
    let world = World::new(&[("A", &[100.0; 4])]).call(0, "A", StrongBuy).call(3, "A", Buy);
    let market = world.market();
    let (calls, _) = world.place(&market);
    let run = |range| simulate_between(&market, &calls, &world.config, Record::Everything, range);
    for range in [0..5, 3..1, 100..2, 7..7, 0..usize::MAX] {
        assert!(matches!(run(range), Err(EngineError::Setting { .. })));
    }
    for range in [0..0, 4..4, 2..2] {
        let outcome = run(range).unwrap();
        assert!(outcome.days.is_empty() && outcome.fills.is_empty());
    }
    assert_eq!(run(1..2).unwrap().fills.len(), 1);
}

#[test]
fn a_bad_setting_is_an_error_for_its_run_alone() {
    let market = World::new(&[("A", &[1.0, 2.0])]).market();
    let good = BacktestConfig::default();
    let bad = BacktestConfig { initial_cash: usd(0.0), ..good };
    let runs = simulate_each(&market, &Calls::none(&market), &[good, bad, good], Record::Days);
    let are_good: Vec<bool> = runs.iter().map(Result::is_ok).collect();
    assert_eq!(are_good, [true, false, true]);
    for change in [
        |c: &mut BacktestConfig| c.initial_cash = usd(-5.0),
        |c: &mut BacktestConfig| c.costs.slippage_bps = bps(10_000.0),
        |c: &mut BacktestConfig| c.costs.fixed_fee = usd(-1.0),
        |c: &mut BacktestConfig| c.holding_sessions = Some(0),
        |c: &mut BacktestConfig| c.delisting.after_sessions = Some(0),
        |c: &mut BacktestConfig| c.delisting.payout_return = -1.1,
        |c: &mut BacktestConfig| c.delisting.payout_return = f64::INFINITY,
        |c: &mut BacktestConfig| c.action_weights.buy = f64::NAN,
        |c: &mut BacktestConfig| c.limits.leverage = 0.9,
        |c: &mut BacktestConfig| c.limits.max_gross = Some(0.0),
        |c: &mut BacktestConfig| c.limits.maintenance_margin = f64::NAN,
    ] {
        let mut config = good;
        change(&mut config);
        assert!(matches!(config.validate(), Err(EngineError::Setting { .. })), "{config:?}");
    }
}
