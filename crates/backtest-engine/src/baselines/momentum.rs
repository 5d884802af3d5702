use super::{month_begins, of_weights};
use crate::{Calls, EngineError, Market};

/// Sessions of the return that securities are ranked by.
const FORMATION: usize = 252;
/// The last sessions of it that do not count: returns of the latest month tend to reverse.
const SKIPPED: usize = 21;
/// The share of securities that is held.
const HELD: f64 = 0.3;

/// 12-1 momentum: after the first close of each month, equal shares of equity in the three tenths of
/// securities (at least one) with the highest return from 252 to 21 sessions ago; the others are
/// sold. Before 252 sessions there is no call.
///
/// Source: Jegadeesh and Titman (1993), with the latest month left out.
///
/// # Errors
/// None for a valid market.
pub fn momentum(market: &Market, first: usize) -> Result<Calls, EngineError> {
    let width = market.tickers().len();
    let mut weights = vec![f64::NAN; market.dates().len() * width];
    for day in month_begins(market, first).filter(|day| *day >= FORMATION) {
        let mut ranked: Vec<(f64, usize)> = (0..width)
            .filter(|asset| !market.closes(day)[*asset].is_nan())
            .filter_map(|asset| Some((formation_return(market, day, asset)?, asset)))
            .collect();
        // The highest return first; among equals by place in the universe.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let held = ((ranked.len() as f64 * HELD).round() as usize).max(1);
        let row = &mut weights[day * width..(day + 1) * width];
        row.fill(0.0);
        for (_, asset) in ranked.iter().take(held) {
            row[*asset] = 1.0 / held.min(ranked.len()) as f64;
        }
    }
    of_weights(market, &weights)
}

fn formation_return(market: &Market, day: usize, asset: usize) -> Option<f64> {
    let (from, to) = (day - FORMATION, day - SKIPPED);
    let close = |day: usize| Some(market.closes(day)[asset]).filter(|close| !close.is_nan());
    Some(close(to)? * market.split_ratio(asset, from, to) / close(from)? - 1.0)
}
