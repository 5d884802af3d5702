use std::fmt::Write;

use super::Day;
use super::random::{Random, Stream};

/// Which stock of which market.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stock {
    pub(crate) seed: u64,
    pub(crate) index: u64,
}

/// A session's prices in dollars, adjusted for splits, not for dividends; and its shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    pub(crate) day: Day,
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
    pub(crate) volume: f64,
    /// Dollars a share that holders of the day before get.
    pub(crate) dividend: f64,
}

/// Daily drift of the three regimes: rising, falling, none.
const DRIFTS: [f64; 3] = [0.0030, -0.0024, 0.0004];
/// A regime ends on one of so many days.
const REGIME_SESSIONS: f64 = 40.0;
/// Long-run variance of a stock's own daily return.
const VARIANCE: f64 = 0.012 * 0.012;
/// Deviation of the daily return that all stocks share.
const MARKET_DEVIATION: f64 = 0.005;
/// Sessions from one dividend to the next, and its share of the price.
const DIVIDEND: (usize, f64) = (63, 0.006);

/// A stock's bars: its drift persists for weeks, and its variance clusters as in a GARCH(1,1).
/// Every second stock pays dividends.
pub(crate) fn bars(stock: Stock, days: &[Day]) -> Vec<Bar> {
    let mut market = Random::new(stock.seed, 0, Stream::Market);
    let mut random = Random::new(stock.seed, stock.index, Stream::Stock);
    let mut drift = *random.pick(&DRIFTS);
    let mut variance = VARIANCE;
    let mut close = cents(40.0 + 160.0 * random.uniform());
    let beta = 0.6 + 0.8 * random.uniform();
    let usual_volume = 1.0e6 + 4.0e6 * random.uniform();
    let mut bars = Vec::with_capacity(days.len());
    for (session, &day) in days.iter().enumerate() {
        if random.chance(1.0 / REGIME_SESSIONS) {
            drift = *random.pick(&DRIFTS);
        }
        let deviation = variance.sqrt();
        let (gap, own) = (0.4 * deviation * random.normal(), deviation * random.normal());
        let pays = stock.index.is_multiple_of(2) && session % DIVIDEND.0 == DIVIDEND.0 - 1;
        let dividend = if pays { cents(close * DIVIDEND.1) } else { 0.0 };
        let open = cents((close - dividend) * (1.0 + gap));
        let change = drift + beta * MARKET_DEVIATION * market.normal() + own;
        close = cents((close - dividend) * (1.0 + change));
        let reach = |random: &mut Random| 0.5 * deviation * random.normal().abs();
        let high = cents(open.max(close) * (1.0 + reach(&mut random)));
        let low = cents(open.min(close) * (1.0 - reach(&mut random)));
        let interest = 0.6 + 0.3 * random.uniform() + 0.4 * own.abs() / deviation;
        let volume = (usual_volume * interest).round();
        bars.push(Bar { day, open, high, low, close, volume, dividend });
        variance = 0.06 * VARIANCE + 0.10 * own * own + 0.84 * variance;
    }
    bars
}

/// `date,open,high,low,close,adj_close,volume`; `adj_close` is adjusted for dividends, too.
pub(crate) fn price_file(bars: &[Bar]) -> String {
    let mut factor = 1.0;
    let mut lines = Vec::with_capacity(bars.len());
    for (at, bar) in bars.iter().enumerate().rev() {
        let Bar { day, open, high, low, close, volume, dividend } = bar;
        let adjusted = close * factor;
        let mut line = String::new();
        let _ = writeln!(
            line,
            "{day},{open:.2},{high:.2},{low:.2},{close:.2},{adjusted:.6},{volume:.0}"
        );
        lines.push(line);
        if at > 0 {
            factor *= 1.0 - dividend / bars[at - 1].close;
        }
    }
    lines.push("date,open,high,low,close,adj_close,volume\n".to_owned());
    lines.reverse();
    lines.concat()
}

fn cents(dollars: f64) -> f64 {
    (dollars * 100.0).round() / 100.0
}
