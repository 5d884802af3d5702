//! The backtest engine in bars a second, on one thread and as a grid.
//!
//! Limit: open, close, volume and call of a bar are 25 bytes, and a fill 40; at half a fill a bar and
//! 20 GB/s that would allow some 440 M bars/s. What is measured is far below: orders are sorted and
//! divided, not copied. `cargo xtask throughput backtest` holds it against vectorbt.

use backtest_engine::{BacktestConfig, Calls, Market, Record, Sizing, simulate, simulate_each};
use chrono::{Days, NaiveDate};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thesis_core::{Action, Ticker};

const SESSIONS: usize = 504;

/// Prices that go up and down at random, and a call on half of all bars: calls with a pattern would be
/// foreseen by the processor, and take half the time.
fn workload(tickers: usize) -> (Market, Calls) {
    let dates = (0..SESSIONS as u64).map(|day| NaiveDate::default() + Days::new(day)).collect();
    let names = (0..tickers).map(|i| Ticker::new(&format!("T{i:05}")).expect("a ticker")).collect();
    let price = |cell: usize| {
        50.0 + ((cell % tickers) % 97) as f64 + (scatter(cell) % 1_000) as f64 / 250.0
    };
    let close: Vec<f64> = (0..tickers * SESSIONS).map(price).collect();
    let open = close.iter().map(|close| close * 1.001).collect();
    let action = |cell: usize| match scatter(cell + 1_000_000_000) % 20 {
        0..5 => Some(Action::Buy),
        5..9 => Some(Action::StrongBuy),
        9 => Some(Action::Sell),
        _ => None,
    };
    let actions = (0..tickers * SESSIONS).map(action).collect();
    let volume = vec![1e6; tickers * SESSIONS];
    let market = Market::new(dates, names, open, close, volume).expect("a market");
    let calls = Calls::new(&market, actions, None).expect("calls of this market");
    (market, calls)
}

/// A number that looks random, by the mixer of SplitMix64.
fn scatter(cell: usize) -> u64 {
    let mixed = (cell as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn backtest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("backtest");
    group.sample_size(20);
    for tickers in [50, 500, 3_000] {
        let (market, calls) = workload(tickers);
        let sizing = Sizing::FixedPct { pct: 1.2 / tickers as f64 };
        let config = BacktestConfig { sizing, ..BacktestConfig::default() };
        let bars = (tickers * SESSIONS) as u64;
        group.throughput(Throughput::Elements(bars));
        group.bench_function(format!("{tickers} tickers"), |b| {
            b.iter(|| simulate(&market, &calls, &config, Record::Everything));
        });
        if tickers == 500 {
            let configs = [config; 16];
            group.throughput(Throughput::Elements(bars * configs.len() as u64));
            group.bench_function("grid of 16, 500 tickers", |b| {
                b.iter(|| simulate_each(&market, &calls, &configs, Record::Days));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, backtest);
criterion_main!(benches);
