//! Equity and cash by day against a plain Python loop and vectorbt; see fixtures/backtest/README.md.

use std::collections::BTreeMap;
use std::path::Path;

use backtest_engine::{
    ActionWeights, BacktestConfig, CallRow, Calls, Conflict, Costs, EntryPrice, Limits, Market,
    Outcome, Record, Sizing, simulate,
};
use chrono::NaiveDate;
use serde_json::Value;
use thesis_core::{Bar, Bps, Ticker, Usd};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/backtest").join(name);
    std::fs::read_to_string(path).expect("a fixture")
}

/// Bars and calls of a case, those of days without a bar among them.
fn rows(name: &str) -> (Vec<(Ticker, Vec<Bar>)>, Vec<CallRow>) {
    let (mut bars, mut calls) = (BTreeMap::<Ticker, Vec<Bar>>::new(), Vec::new());
    let mut call = |date, ticker, signal: &str| {
        let action = signal.parse().expect("an action");
        calls.push(CallRow { date, ticker, action, strength: 1.0 });
    };
    for line in read(&format!("{name}.csv")).lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [date, ticker, open, high, low, close, volume, signal] = fields[..] else {
            panic!("{line}")
        };
        let date: NaiveDate = date.parse().expect("a date");
        let ticker = Ticker::new(ticker).expect("a ticker");
        let [open, high, low, close, volume] =
            [open, high, low, close, volume].map(|number| number.parse().expect("a number"));
        call(date, ticker.clone(), signal);
        let bar = Bar { date, open, high, low, close, adj_close: None, volume };
        bars.entry(ticker).or_default().push(bar);
    }
    if name.starts_with("next_open_missing") || name.starts_with("next_open_whole") {
        for line in read(&format!("{name}.calls_without_bar.csv")).lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [date, ticker, signal] = fields[..] else { panic!("{line}") };
            let ticker = Ticker::new(ticker).expect("a ticker");
            call(date.parse().expect("a date"), ticker, signal);
        }
    }
    (bars.into_iter().collect(), calls)
}

fn config(case: &Value) -> BacktestConfig {
    let (weights, config) = (&case["weights"], &case["config"]);
    let number = |value: &Value| value.as_f64();
    let weight = |action: &str| number(&weights[action]).expect("a weight");
    let bps = |key: &str| {
        let rate = number(&config[key]).expect("a rate");
        Bps::new((rate * 1e4).round()).expect("a rate")
    };
    BacktestConfig {
        initial_cash: Usd::new(number(&config["cash"]).expect("cash")).expect("cash"),
        entry_price: match config["fill"].as_str() {
            Some("next_open") => EntryPrice::NextOpen,
            Some("close") => EntryPrice::Close,
            other => panic!("{other:?}"),
        },
        shorts: weight("SELL") < 0.0,
        action_weights: ActionWeights {
            strong_buy: weight("STRONG_BUY"),
            buy: weight("BUY"),
            sell: weight("SELL"),
            strong_sell: weight("STRONG_SELL"),
        },
        sizing: Sizing::FixedPct { pct: 1.0 },
        costs: Costs {
            fee_bps: bps("fee_rate"),
            slippage_bps: bps("slippage"),
            fixed_fee: Usd::new(number(&config["fixed"]).unwrap_or(0.0)).expect("a fee"),
            ..Costs::FREE
        },
        limits: Limits { lot: number(&config["lot"]), ..Limits::default() },
        ..BacktestConfig::default()
    }
}

#[track_caller]
fn check(name: &str) -> Outcome {
    let case: Value = serde_json::from_str(&read(&format!("{name}.json"))).expect("JSON");
    let (bars, rows) = rows(name);
    let market = Market::from_bars(bars).expect("a market");
    let config = config(&case);
    let (calls, placed) = Calls::place(&market, &rows, config.entry_price, Conflict::Last);
    assert_eq!((placed.calls, placed.conflicting, placed.dropped), (rows.len(), 0, vec![]));
    let outcome = simulate(&market, &calls, &config, Record::Everything).expect("a run");

    let series = |key: &str| -> Vec<f64> {
        case[key].as_array().expect("values").iter().map(|v| v.as_f64().expect("one")).collect()
    };
    let (equity, cash) = (series("equity"), series("cash"));
    assert_eq!(outcome.days.len(), equity.len());
    let mut worst: f64 = 0.0;
    for ((day, equity), cash) in outcome.days.iter().zip(&equity).zip(&cash) {
        worst = worst.max((day.equity / equity - 1.0).abs());
        // Where vectorbt's cash is rounding around zero, a relative error says nothing.
        let scale = if *cash < 1e-6 { equity } else { cash };
        worst = worst.max(((day.cash - cash) / scale).abs());
    }
    assert!(worst < 1e-9, "{name}: {worst:e}");
    assert_eq!(outcome.fills.len() as u64, case["fills"].as_u64().expect("fills"));
    let fees: f64 = outcome.fills.iter().map(|fill| fill.fee).sum();
    assert!((fees / case["fees"].as_f64().expect("fees") - 1.0).abs() < 1e-9);
    let firsts = case["first_fills"].as_array().map_or(&[][..], Vec::as_slice);
    for (fill, want) in outcome.fills.iter().zip(firsts) {
        let want: Vec<f64> =
            want.as_array().expect("a fill").iter().map(|v| v.as_f64().expect("one")).collect();
        let got = [fill.day.into(), fill.asset.into(), fill.quantity, fill.price, fill.fee];
        for (got, want) in got.iter().zip(&want) {
            assert!((got - want).abs() <= 1e-9 * want.abs(), "{fill:?} {want:?}");
        }
    }
    outcome
}

#[test]
fn next_open_long() {
    check("next_open_long");
}

#[test]
fn close_cash_binds() {
    check("close_cash_binds");
}

#[test]
fn next_open_missing_bars() {
    check("next_open_missing_bars");
}

#[test]
fn next_open_whole_shares() {
    check("next_open_whole_shares");
}

#[test]
fn cash_binds() {
    let outcome = check("cash_binds");
    let cut = outcome.fills.iter().filter(|fill| fill.cut.is_some()).count();
    assert!(cut > 20, "{cut} fills of {} were cut", outcome.fills.len());
}
