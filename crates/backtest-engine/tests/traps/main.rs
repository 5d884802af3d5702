//! The traps that backtests fall into, each in a market small enough to be computed by hand: prices
//! open and close a session at one value where nothing else is said, sessions are weekdays from
//! Monday 2021-01-04, 1,000 dollars, no costs, and a strong buy asks for all of equity.

#[path = "../support/mod.rs"]
mod support;

mod bars;
mod calls;
mod events;
mod exits;
mod leverage;
mod limits;
mod odd_input;
mod orders;
mod sizing;
mod timeline;

/// No bar, no price, no volume.
const NO: f64 = f64::NAN;
