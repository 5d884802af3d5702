use chrono::NaiveDate;
use thesis_core::{Action, Ticker};

use crate::{Conflict, DropReason, EngineError, EntryPrice, Market};

/// One call as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRow {
    /// The day up to whose close the call uses data.
    pub date: NaiveDate,
    /// The security.
    pub ticker: Ticker,
    /// What to do.
    pub action: Action,
    /// A factor on the size of the position, 1 where calls have no confidence.
    pub strength: f64,
}

/// What became of the rows: how many count, and which were dropped.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlacedCalls {
    /// Calls that stand on a session, HOLD included, after conflicts were settled.
    pub calls: usize,
    /// Rows that shared ticker and session with another.
    pub conflicting: usize,
    /// Rows on a day that is no session, moved to one.
    pub moved: usize,
    /// Rows without a place, by index, and why.
    pub dropped: Vec<(usize, DropReason)>,
}

/// Calls laid out on a market: one a session and ticker at most.
///
/// Day-major as the market's columns, one byte a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Calls {
    days: usize,
    tickers: usize,
    actions: Vec<Option<Action>>,
    /// A factor on each position's size; `None` for 1 everywhere.
    strengths: Option<Vec<f64>>,
}

impl Calls {
    /// Takes whole columns, without copying them.
    ///
    /// # Shapes
    /// Both are `[days × tickers]`, day-major.
    ///
    /// # Errors
    /// Columns of other lengths; a strength that is negative or not finite.
    pub fn new(
        market: &Market,
        actions: Vec<Option<Action>>,
        strengths: Option<Vec<f64>>,
    ) -> Result<Self, EngineError> {
        let (days, tickers) = (market.dates().len(), market.tickers().len());
        let lengths =
            [("actions", Some(actions.len())), ("strengths", strengths.as_ref().map(Vec::len))];
        for (column, got) in lengths {
            if let Some(got) = got.filter(|got| *got != days * tickers) {
                return Err(EngineError::Shape { column, got, days, tickers });
            }
        }
        let bad = |s: &&f64| !(s.is_finite() && **s >= 0.0);
        if let Some(value) = strengths.as_ref().and_then(|strengths| strengths.iter().find(bad)) {
            let (key, expected) = ("strength", "a number of at least 0");
            return Err(EngineError::Setting { key, value: *value, expected });
        }
        Ok(Self { days, tickers, actions, strengths })
    }

    /// No calls at all.
    pub fn none(market: &Market) -> Self {
        let (days, tickers) = (market.dates().len(), market.tickers().len());
        Self { days, tickers, actions: vec![None; days * tickers], strengths: None }
    }

    /// Finds the session of each row.
    ///
    /// A row dated on a day that is no session counts for the session before when fills are at the
    /// next open (both lead to the same open), and for the session after when they are at the
    /// close, since the close before was over when the call was made.
    pub fn place(
        market: &Market,
        rows: &[CallRow],
        entry: EntryPrice,
        conflict: Conflict,
    ) -> (Self, PlacedCalls) {
        let mut calls = Self::none(market);
        let mut report = PlacedCalls::default();
        let mut placed: Vec<(usize, NaiveDate, usize)> = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let bad = !(row.strength.is_finite() && row.strength >= 0.0);
            match session(market, row, entry) {
                Ok(_) if bad => report.dropped.push((index, DropReason::BadStrength)),
                Ok((cell, moved)) => {
                    report.moved += usize::from(moved);
                    placed.push((cell, row.date, index));
                }
                Err(reason) => report.dropped.push((index, reason)),
            }
        }
        placed.sort_unstable();
        let mut strengths =
            rows.iter().any(|row| row.strength != 1.0).then(|| vec![1.0; calls.actions.len()]);
        for same in placed.chunk_by(|a, b| a.0 == b.0) {
            let said: Vec<(Action, f64)> = same
                .iter()
                .map(|(_, _, index)| (rows[*index].action, rows[*index].strength))
                .collect();
            report.conflicting += if said.len() > 1 { said.len() } else { 0 };
            let Some((action, strength)) = conflict.resolve(&said) else { continue };
            let cell = same[0].0;
            calls.actions[cell] = Some(action);
            if let Some(strengths) = &mut strengths {
                strengths[cell] = strength;
            }
            report.calls += 1;
        }
        calls.strengths = strengths;
        (calls, report)
    }

    /// The calls of one session, one a ticker.
    pub fn row(&self, day: usize) -> &[Option<Action>] {
        &self.actions[day * self.tickers..(day + 1) * self.tickers]
    }

    /// The factor on the size of one call's position.
    #[inline]
    pub fn strength(&self, day: usize, asset: usize) -> f64 {
        self.strengths.as_ref().map_or(1.0, |strengths| strengths[day * self.tickers + asset])
    }

    /// All cells, day-major.
    pub fn actions(&self) -> &[Option<Action>] {
        &self.actions
    }

    /// All cells to change, day-major.
    pub fn actions_mut(&mut self) -> &mut [Option<Action>] {
        &mut self.actions
    }

    pub(crate) fn check(&self, market: &Market) -> Result<(), EngineError> {
        let (days, tickers) = (market.dates().len(), market.tickers().len());
        if (self.days, self.tickers) == (days, tickers) {
            return Ok(());
        }
        let (calls_days, calls_tickers) = (self.days, self.tickers);
        Err(EngineError::Calls { calls_days, calls_tickers, days, tickers })
    }
}

/// The cell of a row, and whether the row had to be moved to a session.
fn session(market: &Market, row: &CallRow, entry: EntryPrice) -> Result<(usize, bool), DropReason> {
    let asset = market.asset(&row.ticker).ok_or(DropReason::UnknownTicker)?;
    let dates = market.dates();
    let first_not_before = dates.partition_point(|date| *date < row.date);
    let is_session = dates.get(first_not_before) == Some(&row.date);
    let day = match (is_session, entry) {
        (true, _) | (false, EntryPrice::Close) => first_not_before,
        (false, EntryPrice::NextOpen) => {
            first_not_before.checked_sub(1).ok_or(DropReason::BeforeFirstSession)?
        }
    };
    // A call after the data has ended has no session at all.
    if day >= dates.len()
        || (!is_session && day + 1 == dates.len() && entry == EntryPrice::NextOpen)
    {
        return Err(DropReason::NoNextSession);
    }
    Ok((day * market.tickers().len() + asset, !is_session))
}
