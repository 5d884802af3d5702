//! Portfolio simulation from daily calls: ledger, fills, costs, sizing and limits.
//!
//! A [`Market`] holds the bars of a universe, [`Calls`] what was said about it, a
//! [`BacktestConfig`] the rules. [`simulate`] goes through the sessions once:
//!
//! ```
//! use backtest_engine::{BacktestConfig, CallRow, Calls, Conflict, EntryPrice, Market, Record, simulate};
//! use thesis_core::{Action, Bar, Ticker};
//!
//! let date = |day| chrono::NaiveDate::from_ymd_opt(2021, 1, day).unwrap();
//! let bar = |day, price| Bar {
//!     date: date(day), open: price, high: price, low: price, close: price, adj_close: None, volume: 1e6,
//! };
//! let ticker = Ticker::new("AAPL")?;
//! let market = Market::from_bars(vec![(ticker.clone(), vec![bar(4, 100.0), bar(5, 101.0), bar(6, 104.0)])])?;
//! let call = CallRow { date: date(4), ticker, action: Action::StrongBuy, strength: 1.0 };
//! let (calls, _) = Calls::place(&market, &[call], EntryPrice::NextOpen, Conflict::Last);
//! let outcome = simulate(&market, &calls, &BacktestConfig::default(), Record::Everything)?;
//! assert_eq!((outcome.days.len(), outcome.fills.len()), (3, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The timeline
//! A call of day t uses data up to that day's close. It fills at the open of t+1
//! ([`EntryPrice::NextOpen`]) or at the close of t ([`EntryPrice::Close`]). Orders are sized by the
//! equity marked at the last closes known before the first fill of the day, and by those closes
//! themselves: never by the price they then get. No file, no clock, no randomness.

mod action_weights;
pub mod baselines;
mod calls;
mod config;
mod conflict;
mod corporate_action;
mod costs;
mod day;
mod error;
mod fill;
mod ledger;
mod limits;
mod market;
mod orders;
mod parallel;
mod pending;
mod round_trips;
mod run;
mod simulate;
mod sizing;
mod stop;
mod trailing;

pub use action_weights::ActionWeights;
pub use calls::{CallRow, Calls, PlacedCalls};
pub use config::{BacktestConfig, Delisting, EntryPrice, MissingBar};
pub use conflict::Conflict;
pub use corporate_action::{CorporateAction, Event, PriceBasis};
pub use costs::Costs;
pub use day::Day;
pub use error::EngineError;
pub use fill::{Cause, Cut, DropReason, Dropped, Fill};
pub use limits::Limits;
pub use market::Market;
pub use parallel::simulate_each;
pub use round_trips::{RoundTrip, round_trips};
pub use simulate::{End, EndReason, Outcome, Record, simulate, simulate_between};
pub use sizing::Sizing;
pub use stop::DrawdownStop;
