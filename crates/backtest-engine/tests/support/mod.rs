//! What the tests of this crate share: a market with its calls and rules as plain rows, which tests
//! can change, shuffle and cut.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod ledger;
pub(crate) mod random;

use backtest_engine::{
    BacktestConfig, CallRow, Calls, Conflict, CorporateAction, Costs, Event, Fill, Market, Outcome,
    PlacedCalls, PriceBasis, Record, Sizing, simulate,
};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use thesis_core::{Action, Bar, Bps, Ticker, Usd};

/// Rows of a market, day by day; NaN for no value.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) dates: Vec<NaiveDate>,
    pub(crate) tickers: Vec<Ticker>,
    pub(crate) open: Vec<Vec<f64>>,
    pub(crate) close: Vec<Vec<f64>>,
    pub(crate) volume: Vec<Vec<f64>>,
    pub(crate) events: Vec<Event>,
    pub(crate) basis: PriceBasis,
    pub(crate) calls: Vec<CallRow>,
    pub(crate) conflict: Conflict,
    pub(crate) config: BacktestConfig,
}

impl World {
    /// Bars that open and close at one price, 1,000,000 shares a day, on weekdays from Monday
    /// 2021-01-04. 1,000 dollars, no costs, and all of equity for a strong buy.
    pub(crate) fn new(prices: &[(&str, &[f64])]) -> Self {
        let days = prices.first().map_or(0, |(_, prices)| prices.len());
        let rows = |value: &dyn Fn(f64) -> f64| -> Vec<Vec<f64>> {
            (0..days).map(|day| prices.iter().map(|(_, p)| value(p[day])).collect()).collect()
        };
        Self {
            dates: weekdays(days),
            tickers: prices.iter().map(|(name, _)| ticker(name)).collect(),
            open: rows(&|price| price),
            close: rows(&|price| price),
            volume: rows(&|price| if price.is_nan() { f64::NAN } else { 1e6 }),
            events: Vec::new(),
            basis: PriceBasis::Raw,
            calls: Vec::new(),
            conflict: Conflict::Last,
            config: BacktestConfig {
                initial_cash: usd(1_000.0),
                sizing: Sizing::FixedPct { pct: 1.0 },
                costs: Costs::FREE,
                ..BacktestConfig::default()
            },
        }
    }

    pub(crate) fn asset(&self, name: &str) -> usize {
        self.tickers.iter().position(|ticker| ticker.as_str() == name).expect("a ticker")
    }

    pub(crate) fn opens(mut self, name: &str, values: &[f64]) -> Self {
        let asset = self.asset(name);
        self.open.iter_mut().zip(values).for_each(|(row, value)| row[asset] = *value);
        self
    }

    pub(crate) fn volumes(mut self, name: &str, values: &[f64]) -> Self {
        let asset = self.asset(name);
        self.volume.iter_mut().zip(values).for_each(|(row, value)| row[asset] = *value);
        self
    }

    pub(crate) fn dated(mut self, dates: &[&str]) -> Self {
        self.dates = dates.iter().map(|text| date(text)).collect();
        self
    }

    pub(crate) fn call(self, day: usize, name: &str, action: Action) -> Self {
        self.strong_call(day, name, action, 1.0)
    }

    pub(crate) fn strong_call(self, day: usize, name: &str, action: Action, strength: f64) -> Self {
        let date = self.dates[day];
        self.dated_call(date, name, action, strength)
    }

    pub(crate) fn dated_call(
        mut self,
        date: NaiveDate,
        name: &str,
        action: Action,
        strength: f64,
    ) -> Self {
        self.calls.push(CallRow { date, ticker: ticker(name), action, strength });
        self
    }

    pub(crate) fn event(mut self, day: usize, name: &str, action: CorporateAction) -> Self {
        self.events.push(Event { date: self.dates[day], ticker: ticker(name), action });
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut BacktestConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// The bars as a source would give them: a row that has no value at all is no bar.
    pub(crate) fn bars(&self) -> Vec<(Ticker, Vec<Bar>)> {
        let bar = |day: usize, asset: usize| {
            let (open, close) = (self.open[day][asset], self.close[day][asset]);
            let volume = self.volume[day][asset];
            let known = !(open.is_nan() && close.is_nan() && volume.is_nan());
            let date = self.dates[day];
            let (high, low) = (open.max(close), open.min(close));
            known.then_some(Bar { date, open, high, low, close, adj_close: None, volume })
        };
        let bars = |asset: usize| (0..self.dates.len()).filter_map(|day| bar(day, asset)).collect();
        self.tickers.iter().cloned().enumerate().map(|(i, ticker)| (ticker, bars(i))).collect()
    }

    /// The market from whole columns, so that days on which nobody has a bar stay sessions.
    pub(crate) fn market(&self) -> Market {
        let flat = |rows: &[Vec<f64>]| rows.iter().flatten().copied().collect::<Vec<f64>>();
        let (dates, tickers) = (self.dates.clone(), self.tickers.clone());
        let (open, close) = (flat(&self.open), flat(&self.close));
        Market::new(dates, tickers, open, close, flat(&self.volume))
            .expect("a market")
            .with_events(&self.events, self.basis)
            .expect("events")
    }

    pub(crate) fn place(&self, market: &Market) -> (Calls, PlacedCalls) {
        Calls::place(market, &self.calls, self.config.entry_price, self.conflict)
    }

    pub(crate) fn run(&self) -> Outcome {
        let market = self.market();
        let (calls, _) = self.place(&market);
        simulate(&market, &calls, &self.config, Record::Everything).expect("a run")
    }

    /// The sessions up to `last` alone, with what was called and what happened until then.
    pub(crate) fn until(&self, last: usize) -> Self {
        let mut cut = self.clone();
        let end = self.dates[last];
        cut.dates.truncate(last + 1);
        for rows in [&mut cut.open, &mut cut.close, &mut cut.volume] {
            rows.truncate(last + 1);
        }
        cut.calls.retain(|call| call.date <= end);
        cut.events.retain(|event| event.date <= end);
        cut
    }
}

/// What no change after session `last` may alter: its books, fills and drops, and those before.
/// Calls that find no session any more are told of on the last one, so they are left out.
pub(crate) fn prefix(outcome: &Outcome, last: usize) -> String {
    use backtest_engine::DropReason::{NoNextSession, RunEnded};
    let days: Vec<_> = outcome.days.iter().take(last + 1).collect();
    let fills: Vec<_> = outcome.fills.iter().filter(|fill| fill.day as usize <= last).collect();
    let dropped: Vec<_> = (outcome.dropped.iter())
        .filter(|d| d.day as usize <= last && !matches!(d.reason, NoNextSession | RunEnded))
        .collect();
    format!("{days:#?}\n{fills:#?}\n{dropped:#?}")
}

/// All of an outcome, to the last bit: `Debug` writes the shortest text that reads back the same.
pub(crate) fn all_of(outcome: &Outcome) -> String {
    format!("{outcome:#?}")
}

/// Fills as day, security, shares, price.
pub(crate) fn trades(outcome: &Outcome) -> Vec<(u32, u32, f64, f64)> {
    let trade = |fill: &Fill| (fill.day, fill.asset, fill.quantity, fill.price);
    outcome.fills.iter().map(trade).collect()
}

pub(crate) fn equity(outcome: &Outcome) -> Vec<f64> {
    outcome.days.iter().map(|day| day.equity).collect()
}

#[track_caller]
pub(crate) fn near(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{got} is not {want}");
}

#[track_caller]
pub(crate) fn all_near(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{got:?} {want:?}");
    for (got, want) in got.iter().zip(want) {
        near(*got, *want);
    }
}

pub(crate) fn weekdays(count: usize) -> Vec<NaiveDate> {
    let first = date("2021-01-04");
    (0..)
        .map_while(|n| first.checked_add_days(Days::new(n)))
        .filter(|date| !matches!(date.weekday(), Weekday::Sat | Weekday::Sun))
        .take(count)
        .collect()
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub(crate) fn ticker(name: &str) -> Ticker {
    Ticker::new(name).expect("a ticker")
}

pub(crate) fn usd(amount: f64) -> Usd {
    Usd::new(amount).expect("dollars")
}

pub(crate) fn bps(rate: f64) -> Bps {
    Bps::new(rate).expect("a rate")
}
