//! What the tests of returns, resampling and significance share: inputs, and the reference values
//! that `fixtures/metrics/returns/make.py` got from other programs.
#![allow(dead_code, reason = "each test file uses its part")]

use chrono::NaiveDate;
use eval_metrics::MetricError;
use serde_json::Value;

/// The reference values; the programs and their versions are under `programs`.
pub(crate) fn reference() -> Value {
    let text = include_str!("../../../../fixtures/metrics/returns/reference.json");
    serde_json::from_str(text).expect("reference.json")
}

/// Dates, returns of the S&P 500 and returns of the NASDAQ.
pub(crate) fn index_returns() -> (Vec<NaiveDate>, Vec<f64>, Vec<f64>) {
    let text = include_str!("../../../../fixtures/metrics/returns/index_returns.csv");
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let mut field = || fields.next().expect("three columns");
        columns.0.push(field().parse().expect("a date"));
        columns.1.push(field().parse().expect("a number"));
        columns.2.push(field().parse().expect("a number"));
    }
    columns
}

/// The first numbers of a 64-bit linear congruential generator, from 0 to below 1.
pub(crate) fn lcg(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

/// The series that make.py calls by this index: returns and benchmark.
pub(crate) fn random_series(index: usize) -> (Vec<f64>, Vec<f64>) {
    let count = [4, 5, 12, 40, 253, 777][index % 6];
    let scale = [0.04, 0.3, 0.002][index / 6 % 3];
    let seed = 1000 + 2 * index as u64;
    let benchmark: Vec<f64> = lcg(seed, count).iter().map(|u| scale * (u - 0.48)).collect();
    let own = lcg(seed + 1, count);
    let returns = benchmark.iter().zip(own).map(|(benchmark, v): (&f64, f64)| {
        0.7 * benchmark + scale * (v - 0.5) * (v - 0.4).abs() + 0.001 * scale
    });
    (returns.collect(), benchmark)
}

/// Holds a value to 1e-10 relative; `null` wants an error.
#[track_caller]
pub(crate) fn meets(name: &str, found: Result<f64, MetricError>, want: &Value) {
    match (found, want.as_f64()) {
        (Ok(found), Some(want)) => {
            let error = (found - want).abs();
            assert!(error <= 1e-10 * want.abs() + 1e-16, "{name}: {found:e}, not {want:e}");
        }
        (Err(_), None) => assert!(want.is_null(), "{name}: the reference has no such value"),
        (found, want) => panic!("{name}: {found:?}, not {want:?}"),
    }
}
