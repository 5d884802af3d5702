use std::ops::Range;

use chrono::NaiveDate;
use serde::Serialize;

use crate::run::Run;
use crate::{
    BacktestConfig, Calls, Day, DropReason, Dropped, EngineError, EntryPrice, Fill, Market,
};

/// What to keep besides the days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// Every fill and every dropped order.
    Everything,
    /// The days alone.
    Days,
}

/// Why a run ended before its last session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Equity was at or below zero at a close.
    EquityGone,
    /// Amounts grew too large for a number: equity was infinite, or none.
    Overflow,
}

/// Where a run ended before its last session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct End {
    /// The last session that was simulated.
    pub date: NaiveDate,
    /// Why.
    pub reason: EndReason,
}

/// What a backtest did.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The books of each session, up to the end.
    pub days: Vec<Day>,
    /// Every fill in the order in which it was made; empty under [`Record::Days`].
    pub fills: Vec<Fill>,
    /// Every order that was dropped; empty under [`Record::Days`].
    pub dropped: Vec<Dropped>,
    /// Set where the run ended early.
    pub ended: Option<End>,
}

/// Trades the calls through all sessions of the market.
///
/// The result depends on nothing but the arguments, and the books of a session on nothing after it.
/// One thread; see [`crate::simulate_each`] for many runs.
///
/// # Errors
/// A setting out of its range; calls that were placed on another market.
pub fn simulate(
    market: &Market,
    calls: &Calls,
    config: &BacktestConfig,
    record: Record,
) -> Result<Outcome, EngineError> {
    simulate_between(market, calls, config, record, 0..market.dates().len())
}

/// Trades the calls through some sessions of the market, from cash. Bars before them are known as
/// history, and the call of the session before the first fills at the first open.
///
/// # Errors
/// As [`simulate`]; sessions that the market does not have.
pub fn simulate_between(
    market: &Market,
    calls: &Calls,
    config: &BacktestConfig,
    record: Record,
    sessions: Range<usize>,
) -> Result<Outcome, EngineError> {
    config.validate()?;
    calls.check(market)?;
    if sessions.start > sessions.end || sessions.end > market.dates().len() {
        let (key, value) = ("sessions", sessions.end as f64);
        return Err(EngineError::Setting { key, value, expected: "sessions of the market" });
    }
    let mut run = Run::new(market, calls, config, record);
    run.learn_closes_before(sessions.start);
    for day in sessions.clone() {
        run.session(day);
        if run.outcome.ended.is_some() {
            // The calls of this close were filled at it, or are still to come.
            let first = day + usize::from(config.entry_price == EntryPrice::Close);
            run.drop_calls(day, first..sessions.end, DropReason::RunEnded);
            return Ok(run.outcome);
        }
    }
    if let (EntryPrice::NextOpen, Some(last)) = (config.entry_price, sessions.last()) {
        run.drop_calls(last, last..last + 1, DropReason::NoNextSession);
    }
    Ok(run.outcome)
}
