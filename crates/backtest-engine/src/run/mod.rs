mod after_the_close;
mod before_the_open;
mod collect_orders;
mod fill_orders;

use crate::ledger::{Ledger, Marks};
use crate::orders::Orders;
use crate::pending::Pending;
use crate::stop::StopState;
use crate::{
    BacktestConfig, Calls, Cause, DropReason, Dropped, EntryPrice, Market, Outcome, Record,
};

/// A run between two sessions.
pub(crate) struct Run<'a> {
    market: &'a Market,
    calls: &'a Calls,
    config: &'a BacktestConfig,
    record: Record,
    /// What each action asks for, by its index.
    weights: [Option<f64>; 5],
    ledger: Ledger,
    /// Of the last close.
    marks: Marks,
    /// What orders are sized by: equity before the day's first fill.
    base: f64,
    /// Lowest cash that orders may leave.
    floor: f64,
    /// Sum of absolute position values at the last known closes, as fills change it.
    gross: f64,
    pending: Pending,
    stop: StopState,
    /// Whether a margin call of the last close is to be met today.
    margin_call: bool,
    /// The session on which each position's holding period ends.
    exits: Vec<u32>,
    /// The last session on which each security had a bar.
    last_bar: Vec<u32>,
    totals: Totals,
    pub(crate) outcome: Outcome,
    /// Reused from day to day.
    orders: Orders,
    returns: Vec<f64>,
}

/// What a day adds up to.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    traded: f64,
    fees: f64,
    slippage: f64,
    borrow: f64,
    interest: f64,
    dividends: f64,
    /// Of fills up to the last known close, and of delistings.
    profit: f64,
}

/// Where orders are filled.
struct Venue<'a> {
    day: usize,
    prices: &'a [f64],
    volumes: &'a [f64],
}

const NEVER: u32 = u32::MAX;

impl<'a> Run<'a> {
    pub(crate) fn new(
        market: &'a Market,
        calls: &'a Calls,
        config: &'a BacktestConfig,
        record: Record,
    ) -> Self {
        let cash = config.initial_cash.value();
        let tickers = market.tickers().len();
        let when = |wanted: bool| if wanted { vec![NEVER; tickers] } else { Vec::new() };
        Self {
            market,
            calls,
            config,
            record,
            weights: thesis_core::Action::ALL
                .map(|action| config.action_weights.of(action, config.shorts)),
            ledger: Ledger::new(cash, tickers),
            marks: Marks::default(),
            base: cash,
            floor: 0.0,
            gross: 0.0,
            pending: Pending::default(),
            stop: StopState::new(cash),
            margin_call: false,
            exits: when(config.holding_sessions.is_some()),
            last_bar: when(config.delisting.after_sessions.is_some()),
            totals: Totals::default(),
            outcome: Outcome {
                days: Vec::with_capacity(market.dates().len()),
                fills: Vec::new(),
                dropped: Vec::new(),
                ended: None,
            },
            orders: Orders::default(),
            returns: Vec::new(),
        }
    }

    /// Takes the last known closes before a session.
    pub(crate) fn learn_closes_before(&mut self, first: usize) {
        for asset in 0..self.ledger.last.len() {
            let closes = (0..first).rev().map(|day| (day, self.market.closes(day)[asset]));
            if let Some((day, close)) = closes.into_iter().find(|(_, close)| !close.is_nan()) {
                // In shares of the session before the first: a split since then counts.
                let shares = self.market.split_ratio(asset, day, first - 1);
                self.ledger.last[asset] = close / shares;
                if let Some(last_bar) = self.last_bar.get_mut(asset) {
                    *last_bar = day as u32;
                }
            }
        }
    }

    /// Goes through one session: before the open, the fills, and after the close.
    pub(crate) fn session(&mut self, day: usize) {
        self.totals = Totals::default();
        self.before_the_open(day);
        let (opens, closes) = (self.market.opens(day), self.market.closes(day));
        let volumes = self.market.volumes(day);
        let open = Venue { day, prices: opens, volumes };
        self.end_holding_periods(day);
        match self.config.entry_price {
            EntryPrice::NextOpen => {
                self.collect_pending(&open, day.checked_sub(1), |_| true);
                if let Some(call_day) = day.checked_sub(1) {
                    self.collect_calls(&open, call_day);
                }
                self.fill_orders(&open);
            }
            EntryPrice::Close => {
                let close = Venue { day, prices: closes, volumes };
                self.collect_pending(&open, None, Cause::at_open);
                self.fill_orders(&open);
                self.collect_pending(&close, Some(day), |cause| !cause.at_open());
                self.collect_calls(&close, day);
                self.fill_orders(&close);
            }
        }
        self.pending.forget_margin_call();
        self.marks = self.ledger.mark(closes);
        self.after_the_close(day, closes);
    }

    fn drop_order(&mut self, day: usize, asset: usize, reason: DropReason, carried: bool) {
        if self.record == Record::Everything {
            let (day, asset) = (day as u32, asset as u32);
            self.outcome.dropped.push(Dropped { day, asset, reason, carried });
        }
    }
}
