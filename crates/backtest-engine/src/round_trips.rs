use serde::Serialize;

use crate::{Fill, Market};

/// A position from its first share to its last, or to a change of sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RoundTrip {
    /// Index of the security in the market.
    pub asset: u32,
    /// Index of the session of the first fill.
    pub opened: u32,
    /// Index of the session of the last fill.
    pub closed: u32,
    /// Most shares held, in shares of the day it closed; negative for a short position.
    pub quantity: f64,
    /// Dollars won or lost, fees and slippage included.
    pub profit: f64,
    /// Profit over all that was paid to open (or received, for a short position).
    pub profit_share: f64,
}

/// A position while it is open.
#[derive(Debug, Clone, Copy)]
struct Position {
    opened: u32,
    /// The session of the last fill: splits since then are still to come.
    seen: u32,
    shares: f64,
    most: f64,
    /// Cash that came in, less cash that went out.
    cash: f64,
    /// What was paid, or received, to open it and add to it.
    invested: f64,
}

/// The positions that fills closed, in the order in which they ended. A fill that goes from long to
/// short ends one and begins another, its fee shared by shares. Dividends and borrow fees are not
/// in the profits. The market must be that of the fills: its splits change what is held.
pub fn round_trips(market: &Market, fills: &[Fill]) -> Vec<RoundTrip> {
    let mut open: Vec<Option<Position>> = vec![None; market.tickers().len()];
    let mut trips = Vec::new();
    for fill in fills {
        let slot = &mut open[fill.asset as usize];
        let mut rest = (fill.quantity, fill.fee);
        if let Some(position) = slot {
            let (asset, seen, day) = (fill.asset as usize, position.seen, fill.day);
            let ratio = market.split_ratio(asset, seen as usize, day as usize);
            position.shares *= ratio;
            position.most *= ratio;
            position.seen = day;
        }
        if let Some(position) = slot.as_mut().filter(|p| p.shares * fill.quantity < 0.0) {
            // Splits round: a fill that differs from the position by that alone closes it.
            let same = (rest.0 + position.shares).abs() <= 1e-9 * position.shares.abs();
            let smaller = rest.0.abs().min(position.shares.abs()).copysign(rest.0);
            let closing = if same { rest.0 } else { smaller };
            let fee = fill.fee * (closing / fill.quantity);
            position.cash -= closing * fill.price + fee;
            position.shares = if same { 0.0 } else { position.shares + closing };
            rest = (rest.0 - closing, rest.1 - fee);
            if position.shares == 0.0 {
                trips.push(RoundTrip {
                    asset: fill.asset,
                    opened: position.opened,
                    closed: fill.day,
                    quantity: position.most,
                    profit: position.cash,
                    profit_share: position.cash / position.invested,
                });
                *slot = None;
            }
        }
        if rest.0 != 0.0 {
            let (opened, value) = (fill.day, rest.0 * fill.price);
            let (shares, most, cash, invested) = (0.0, 0.0, 0.0, 0.0);
            let begin = Position { opened, seen: opened, shares, most, cash, invested };
            let position = slot.get_or_insert(begin);
            position.shares += rest.0;
            position.cash -= value + rest.1;
            position.invested += value.abs();
            if position.shares.abs() > position.most.abs() {
                position.most = position.shares;
            }
        }
    }
    trips
}
