use std::collections::BTreeSet;

use chrono::NaiveDate;
use thesis_core::{Bar, Ticker};

use crate::{CorporateAction, EngineError, Event, PriceBasis};

/// The bars of a universe: one value a session and ticker, day by day.
///
/// Columns are dense and day-major, `[days × tickers]`, NaN where there is no bar. Dates and
/// tickers ascend, so the order in which bars are given changes nothing.
#[derive(Debug, Clone)]
pub struct Market {
    dates: Vec<NaiveDate>,
    tickers: Vec<Ticker>,
    open: Vec<f64>,
    close: Vec<f64>,
    /// NaN where volume is unknown: orders fill, but no average volume comes of it.
    volume: Vec<f64>,
    /// By day, then ticker.
    events: Vec<PlacedEvent>,
}

/// A corporate action with its indices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PlacedEvent {
    pub(crate) day: usize,
    pub(crate) asset: usize,
    pub(crate) action: CorporateAction,
}

impl Market {
    /// Takes whole columns, without copying them.
    ///
    /// # Shapes
    /// `open`, `close` and `volume` are `[days × tickers]`, day-major: the value of day d and ticker
    /// i is at `d · tickers + i`. NaN stands for no value.
    ///
    /// # Errors
    /// Columns of other lengths, dates or tickers that do not ascend, a price that is not above 0,
    /// a volume below 0.
    pub fn new(
        dates: Vec<NaiveDate>,
        tickers: Vec<Ticker>,
        open: Vec<f64>,
        close: Vec<f64>,
        volume: Vec<f64>,
    ) -> Result<Self, EngineError> {
        if let Some(pair) = dates.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(EngineError::Dates { date: pair[1] });
        }
        if let Some(pair) = tickers.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(EngineError::Tickers { ticker: pair[1].clone() });
        }
        let (days, width) = (dates.len(), tickers.len());
        for (column, values) in [("open", &open), ("close", &close), ("volume", &volume)] {
            if values.len() != days * width {
                let got = values.len();
                return Err(EngineError::Shape { column, got, days, tickers: width });
            }
        }
        let place = |index: usize| (tickers[index % width].clone(), dates[index / width]);
        for (column, values) in [("open", &open), ("close", &close)] {
            let bad = |v: &f64| *v <= 0.0 || v.is_infinite();
            if let Some(index) = values.iter().position(bad) {
                let (ticker, date) = place(index);
                return Err(EngineError::Price { ticker, date, column, value: values[index] });
            }
        }
        if let Some(index) = volume.iter().position(|v| *v < 0.0) {
            let (ticker, date) = place(index);
            return Err(EngineError::Volume { ticker, date, value: volume[index] });
        }
        Ok(Self { dates, tickers, open, close, volume, events: Vec::new() })
    }

    /// Lays out the bars of each ticker; the sessions are all dates that any of them has.
    ///
    /// Bars may come in any order. All prices of a bar must have one adjustment: a close that is
    /// adjusted for dividends beside an open that is not would invent returns overnight.
    ///
    /// # Errors
    /// A ticker or a date of a ticker twice, a price that is not above 0, a volume below 0.
    pub fn from_bars(bars: Vec<(Ticker, Vec<Bar>)>) -> Result<Self, EngineError> {
        let mut bars = bars;
        bars.sort_by(|a, b| a.0.cmp(&b.0));
        let dates: BTreeSet<NaiveDate> =
            bars.iter().flat_map(|(_, bars)| bars.iter().map(|bar| bar.date)).collect();
        let dates: Vec<NaiveDate> = dates.into_iter().collect();
        let width = bars.len();
        let column = || vec![f64::NAN; dates.len() * width];
        let (mut open, mut close, mut volume) = (column(), column(), column());
        for (asset, (_, bars)) in bars.iter_mut().enumerate() {
            bars.sort_by_key(|bar| bar.date);
            if let Some(pair) = bars.windows(2).find(|pair| pair[0].date == pair[1].date) {
                return Err(EngineError::Dates { date: pair[1].date });
            }
            // Both ascend: one walk finds every bar's session.
            let mut day = 0;
            for bar in bars {
                while dates[day] < bar.date {
                    day += 1;
                }
                let cell = day * width + asset;
                open[cell] = bar.open;
                close[cell] = bar.close;
                volume[cell] = bar.volume;
            }
        }
        let tickers = bars.into_iter().map(|(ticker, _)| ticker).collect();
        Self::new(dates, tickers, open, close, volume)
    }

    /// Adds corporate actions; those after the last session are left out.
    ///
    /// # Errors
    /// An action that prices of this basis hold already, so that it would count twice; a ticker
    /// that the market does not have; a ratio, dividend or return that cannot be.
    pub fn with_events(mut self, events: &[Event], basis: PriceBasis) -> Result<Self, EngineError> {
        for Event { date, ticker, action } in events {
            let (date, ticker) = (*date, ticker.clone());
            if let Some(action) = basis.holds(*action) {
                let basis = basis.describe();
                return Err(EngineError::CountedTwice { ticker, date, basis, action });
            }
            let (key, value, possible) = match *action {
                CorporateAction::Split(ratio) => ("split", ratio, ratio > 0.0),
                CorporateAction::Dividend(amount) => ("dividend", amount, amount >= 0.0),
                CorporateAction::Delisting(part) => ("delisting return", part, part >= -1.0),
            };
            if !(possible && value.is_finite()) {
                let expected = "a split above 0, a dividend of at least 0, a return of at least -1";
                return Err(EngineError::Setting { key, value, expected });
            }
            let Some(asset) = self.asset(&ticker) else {
                return Err(EngineError::UnknownEvent { ticker, date });
            };
            let day = self.dates.partition_point(|session| *session < date);
            if day < self.dates.len() {
                self.events.push(PlacedEvent { day, asset, action: *action });
            }
        }
        // Stable: on one day a ticker's actions keep the order in which they were given.
        self.events.sort_by_key(|event| (event.day, event.asset));
        Ok(self)
    }

    /// The sessions, ascending.
    pub fn dates(&self) -> &[NaiveDate] {
        &self.dates
    }

    /// The securities, ascending.
    pub fn tickers(&self) -> &[Ticker] {
        &self.tickers
    }

    /// The index of a ticker; O(log n).
    pub fn asset(&self, ticker: &Ticker) -> Option<usize> {
        self.tickers.binary_search(ticker).ok()
    }

    /// The opens of one session, one a ticker, NaN where there is none.
    pub fn opens(&self, day: usize) -> &[f64] {
        self.row(&self.open, day)
    }

    /// The closes of one session, one a ticker, NaN where there is none.
    pub fn closes(&self, day: usize) -> &[f64] {
        self.row(&self.close, day)
    }

    /// The volumes of one session in shares, one a ticker, NaN where there is none.
    pub fn volumes(&self, day: usize) -> &[f64] {
        self.row(&self.volume, day)
    }

    /// The corporate actions of one session.
    pub(crate) fn events_on(&self, day: usize) -> &[PlacedEvent] {
        let begin = self.events.partition_point(|event| event.day < day);
        let end = self.events.partition_point(|event| event.day <= day);
        &self.events[begin..end]
    }

    /// What one share held at the close of `from` has become by the close of `to`.
    pub(crate) fn split_ratio(&self, asset: usize, from: usize, to: usize) -> f64 {
        if self.events.is_empty() {
            return 1.0;
        }
        let begin = self.events.partition_point(|event| event.day <= from);
        let end = self.events.partition_point(|event| event.day <= to);
        let ratio = |event: &PlacedEvent| match event.action {
            CorporateAction::Split(ratio) if event.asset == asset => ratio,
            _ => 1.0,
        };
        self.events[begin..end].iter().map(ratio).product()
    }

    fn row<'a>(&self, column: &'a [f64], day: usize) -> &'a [f64] {
        let width = self.tickers.len();
        &column[day * width..(day + 1) * width]
    }
}
