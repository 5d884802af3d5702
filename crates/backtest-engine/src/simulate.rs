use std::ops::Range;

use chrono::NaiveDate;
use serde::Serialize;

use crate::ledger::{Ledger, Marks};
use crate::orders::{Order, Orders};
use crate::pending::{Pending, Target};
use crate::stop::StopState;
use crate::trailing::average_volume;
use crate::{
    BacktestConfig, Calls, Cause, CorporateAction, Cut, Day, DropReason, Dropped, EngineError,
    EntryPrice, Fill, Market, MissingBar,
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

/// A run between two sessions.
struct Run<'a> {
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
    outcome: Outcome,
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

/// An order of less than this share of equity is rounding: it would count as a trade and be none.
const ROUNDING: f64 = 1e-12;

impl<'a> Run<'a> {
    fn new(
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
    fn learn_closes_before(&mut self, first: usize) {
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

    fn session(&mut self, day: usize) {
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

    /// Charges for the days since the last session, corporate actions, and the base of sizing.
    fn before_the_open(&mut self, day: usize) {
        // What was held and owed since the last close, so before anything of today is booked.
        if !self.outcome.days.is_empty() {
            let dates = self.market.dates();
            let days = (dates[day] - dates[day - 1]).num_days();
            let short = (self.marks.gross - self.marks.net) / 2.0;
            let debt = (self.ledger.owed - self.ledger.cash).max(0.0);
            let (borrow, interest) = self.config.costs.carry(short, debt, days);
            self.totals.borrow = borrow;
            self.totals.interest = interest;
            self.ledger.receive(-(borrow + interest), self.floor);
        }
        for event in self.market.events_on(day) {
            self.corporate_action(day, event.asset, event.action);
        }
        if let Some(after) = self.config.delisting.after_sessions {
            self.delist(day, after);
        }
        self.base = (self.ledger.cash + self.marks.net - self.ledger.owed).max(0.0);
        // `0.0 -` and not a minus sign: a floor of −0 would print as such.
        self.floor = 0.0 - (self.config.limits.leverage - 1.0) * self.base;
        self.gross = self.marks.gross;
    }

    fn corporate_action(&mut self, day: usize, asset: usize, action: CorporateAction) {
        match action {
            CorporateAction::Split(ratio) => {
                self.ledger.shares[asset] *= ratio;
                self.ledger.last[asset] /= ratio;
            }
            CorporateAction::Dividend(amount) => {
                let paid = self.ledger.shares[asset] * amount;
                self.totals.dividends += paid;
                self.ledger.receive(paid, self.floor);
            }
            CorporateAction::Delisting(payout_return) => self.pay_out(day, asset, payout_return),
        }
    }

    /// Ends a holding at its last close times 1 plus a return, without costs.
    fn pay_out(&mut self, day: usize, asset: usize, payout_return: f64) {
        let (shares, value) = (self.ledger.shares[asset], self.ledger.value(asset));
        self.pending.remove(asset);
        if shares == 0.0 {
            return;
        }
        let price = self.ledger.last[asset] * (1.0 + payout_return);
        self.ledger.shares[asset] = 0.0;
        self.ledger.receive(shares * price, self.floor);
        self.totals.profit += value * payout_return;
        self.marks.net -= value;
        self.marks.gross -= value.abs();
        if self.record == Record::Everything {
            let (day, asset, cause) = (day as u32, asset as u32, Cause::Delisting);
            let fill = Fill { day, asset, quantity: -shares, price, fee: 0.0, cause, cut: None };
            self.outcome.fills.push(fill);
        }
    }

    /// Pays out the holdings that had no bar for so many sessions.
    fn delist(&mut self, day: usize, after: u32) {
        for asset in 0..self.last_bar.len() {
            let silent = self.last_bar[asset] != NEVER && day as u32 - self.last_bar[asset] > after;
            if silent && self.ledger.shares[asset] != 0.0 {
                self.pay_out(day, asset, self.config.delisting.payout_return);
            }
        }
    }

    fn end_holding_periods(&mut self, day: usize) {
        for asset in 0..self.exits.len() {
            // Day after day until it is done: another order may come first.
            let is_over = self.exits[asset] <= day as u32 && self.ledger.shares[asset] != 0.0;
            if is_over && self.pending.get(asset).is_none() {
                self.pending.insert(asset, Target::exit(Cause::HoldingPeriod));
            }
        }
    }

    /// Makes orders of what waits, where no call of `call_day` takes its place.
    fn collect_pending(
        &mut self,
        venue: &Venue<'_>,
        call_day: Option<usize>,
        wanted: impl Fn(Cause) -> bool,
    ) {
        if self.pending.is_empty() {
            return;
        }
        let calls_count = !self.stop.is_on() && !self.margin_call;
        let row = call_day.filter(|_| calls_count).map(|call_day| self.calls.row(call_day));
        for (asset, target) in self.pending.all() {
            let called = row
                .and_then(|row| row[asset])
                .is_some_and(|action| self.weights[action.index()].is_some());
            // A carried call waits, too, while a margin call is met.
            let waits = self.margin_call && target.cause == Cause::Carried;
            if !called && !waits && wanted(target.cause) {
                self.collect(venue, asset, target);
            }
        }
    }

    /// Makes orders of the calls of a session.
    fn collect_calls(&mut self, venue: &Venue<'_>, call_day: usize) {
        let refused = match (self.stop.is_on(), self.margin_call) {
            (true, _) => Some(DropReason::Stopped),
            (false, true) => Some(DropReason::MarginCall),
            (false, false) => None,
        };
        let calls = self.calls;
        for (asset, action) in calls.row(call_day).iter().enumerate() {
            let Some(weight) = action.and_then(|action| self.weights[action.index()]) else {
                continue;
            };
            // Whatever becomes of it.
            self.give_way(asset);
            if weight == 0.0 && self.ledger.shares[asset] == 0.0 {
                continue;
            }
            if let Some(reason) = refused {
                self.drop_order(venue.day, asset, reason, false);
                continue;
            }
            let sizing = &self.config.sizing;
            let unit = sizing.unit(self.market, venue.day, asset, weight, &mut self.returns);
            let Some(unit) = unit else {
                self.drop_order(venue.day, asset, DropReason::NoHistory, false);
                continue;
            };
            let weight = weight * unit * calls.strength(call_day, asset);
            let weight = self.config.limits.position(weight);
            self.collect(venue, asset, Target { weight, cause: Cause::Call });
        }
    }

    /// Drops the calls of the sessions that no order was made of.
    fn drop_calls(&mut self, day: usize, call_days: Range<usize>, reason: DropReason) {
        let calls = self.calls;
        for action in call_days.flat_map(|day| calls.row(day).iter().enumerate()) {
            if let (asset, Some(action)) = action
                && let Some(weight) = self.weights[action.index()]
                && (weight != 0.0 || self.ledger.shares[asset] != 0.0)
            {
                self.drop_order(day, asset, reason, false);
            }
        }
    }

    /// Makes an order of a target, or drops it where it cannot be filled today.
    #[inline]
    fn collect(&mut self, venue: &Venue<'_>, asset: usize, target: Target) {
        let last = self.ledger.last[asset];
        let reason = if last == 0.0 {
            DropReason::NoPriceYet
        } else if venue.prices[asset].is_nan() {
            DropReason::MissingBar
        } else if venue.volumes[asset] == 0.0 {
            DropReason::ZeroVolume
        } else {
            let value = target.weight * self.base;
            let held = self.ledger.shares[asset] * last;
            if target.cause == Cause::MarginCall && value.abs() >= held.abs() {
                // A payout since the close left room for all of it; a cut never adds.
                return;
            }
            let difference = value - held;
            let (asset, cause) = (asset as u32, target.cause);
            self.orders.push(difference, Order { target: value, asset, cause });
            return;
        };
        let carried = reason != DropReason::NoPriceYet
            && (target.cause.is_forced() || self.config.missing_bar == MissingBar::Carry);
        if carried {
            let cause = if target.cause == Cause::Call { Cause::Carried } else { target.cause };
            self.pending.insert(asset, Target { cause, ..target });
        }
        self.drop_order(venue.day, asset, reason, carried);
    }

    /// A newer call takes the place of one that waits, but not of what the rules want.
    fn give_way(&mut self, asset: usize) {
        if !self.pending.is_empty()
            && self.pending.get(asset).is_some_and(|target| !target.cause.is_forced())
        {
            self.pending.remove(asset);
        }
    }

    fn fill_orders(&mut self, venue: &Venue<'_>) {
        let mut orders = std::mem::take(&mut self.orders);
        orders.sort();
        for order in orders.iter() {
            match self.fill_order(venue, order) {
                Ok(()) => self.done(venue.day, order),
                Err(reason) => {
                    let asset = order.asset as usize;
                    let carried = order.cause.is_forced() && order.cause != Cause::MarginCall;
                    if !carried {
                        self.give_way(asset);
                    }
                    if order.target * self.ledger.shares[asset] > 0.0 {
                        self.renew(venue.day, order);
                    }
                    self.drop_order(venue.day, asset, reason, carried);
                }
            }
        }
        orders.clear();
        self.orders = orders;
    }

    /// Fills one order as far as its limits let it: share of volume, gross exposure, lots, cash.
    #[inline]
    fn fill_order(&mut self, venue: &Venue<'_>, order: &Order) -> Result<(), DropReason> {
        let asset = order.asset as usize;
        let (limits, costs) = (&self.config.limits, &self.config.costs);
        let (shares, last) = (self.ledger.shares[asset], self.ledger.last[asset]);
        let closing = order.target == 0.0;
        let mut quantity = if closing { -shares } else { order.target / last - shares };
        let rounding = ROUNDING * self.base;
        if quantity == 0.0 || (!closing && quantity.abs() * last <= rounding) {
            return Ok(());
        }
        let mut cut = None;
        if let Some(fraction) = limits.adv_fraction {
            let average = average_volume(self.market, venue.day, asset, limits.adv_window);
            let most = fraction * average.unwrap_or(0.0);
            if quantity.abs() > most {
                quantity = most.copysign(quantity);
                cut = Some(Cut::Volume);
            }
        }
        if let Some(max_gross) = limits.max_gross {
            let room = ((max_gross * self.base - self.gross) / last).max(0.0);
            let most = shares.abs() + room;
            if (shares + quantity).abs() > most.max(shares.abs()) {
                quantity = most.copysign(quantity) - shares;
                cut = Some(Cut::Gross);
            }
        }
        // The odd lot of a position is sold with it.
        if !closing || cut.is_some() {
            quantity = limits.lots(quantity);
        }
        if quantity == 0.0 || (!closing && quantity.abs() * last <= rounding) {
            return Err(match cut {
                Some(Cut::Volume) => DropReason::Volume,
                Some(Cut::Gross) => DropReason::Gross,
                _ => DropReason::BelowOneLot,
            });
        }
        let price = costs.slipped(venue.prices[asset], quantity);
        let cash = self.ledger.cash;
        if quantity > 0.0 {
            let most = costs.affordable(cash - self.floor, price);
            if quantity > most {
                quantity = limits.lots_within(most);
                cut = Some(Cut::Cash);
                if quantity * price <= rounding {
                    return Err(DropReason::Cash);
                }
            }
        }
        let fee = costs.fee(quantity, price);
        let received = -quantity * price - fee;
        if quantity < 0.0 && received < 0.0 && cash + received < self.floor {
            return Err(DropReason::Cash);
        }
        self.ledger.trade(asset, quantity, price, fee);
        if cut == Some(Cut::Cash) {
            // All cash is spent: what is left below the floor is rounding.
            self.ledger.cash = self.ledger.cash.max(self.floor);
        }
        self.gross += ((shares + quantity).abs() - shares.abs()) * last;
        let bar_price = venue.prices[asset];
        self.totals.traded += quantity.abs() * bar_price;
        self.totals.fees += fee;
        self.totals.slippage += quantity * (price - bar_price);
        self.totals.profit += quantity * (last - bar_price);
        if self.record == Record::Everything {
            let (day, cause) = (venue.day as u32, order.cause);
            let fill = Fill { day, asset: order.asset, quantity, price, fee, cause, cut };
            self.outcome.fills.push(fill);
        }
        Ok(())
    }

    /// Clears what the order settled.
    #[inline]
    fn done(&mut self, day: usize, order: &Order) {
        let asset = order.asset as usize;
        if !self.pending.is_empty() {
            // An exit that a limit cut goes on until the position is gone.
            if !order.cause.is_forced() || self.ledger.shares[asset] == 0.0 {
                self.pending.remove(asset);
            }
        }
        self.renew(day, order);
    }

    /// Starts the holding period of what a call opened or confirmed, whether or not shares changed
    /// hands.
    fn renew(&mut self, day: usize, order: &Order) {
        let asset = order.asset as usize;
        let called = matches!(order.cause, Cause::Call | Cause::Carried);
        if let Some(sessions) = self.config.holding_sessions.filter(|_| called) {
            let held = self.ledger.shares[asset] != 0.0;
            self.exits[asset] = if held { (day as u32).saturating_add(sessions) } else { NEVER };
            if self.pending.get(asset).is_some_and(|t| t.cause == Cause::HoldingPeriod) {
                self.pending.remove(asset);
            }
        }
    }

    /// Writes the day down and decides on its close what the next open has to do.
    fn after_the_close(&mut self, day: usize, closes: &[f64]) {
        for (last_bar, close) in self.last_bar.iter_mut().zip(closes) {
            if !close.is_nan() {
                *last_bar = day as u32;
            }
        }
        let Marks { net, gross, profit, positions } = self.marks;
        let Totals { traded, fees, slippage, borrow, interest, dividends, profit: of_fills } =
            self.totals;
        let date = self.market.dates()[day];
        let Ledger { cash, owed, .. } = self.ledger;
        let equity = cash + net - owed;
        let profit = profit + of_fills;
        self.outcome.days.push(Day {
            date,
            equity,
            cash,
            gross,
            net,
            positions,
            traded,
            fees,
            slippage,
            borrow,
            interest,
            dividends,
            profit,
            owed,
        });
        if equity <= 0.0 || !equity.is_finite() {
            let gone = equity <= 0.0 && equity.is_finite();
            let reason = if gone { EndReason::EquityGone } else { EndReason::Overflow };
            self.outcome.ended = Some(End { date, reason });
            return;
        }
        let limits = &self.config.limits;
        self.margin_call = gross > 0.0 && equity < limits.maintenance_margin * gross;
        if self.margin_call {
            let part = limits.leverage * equity / gross;
            self.replace_holdings(|value| Target {
                weight: part * value / equity,
                cause: Cause::MarginCall,
            });
        }
        if let Some(stop) = &self.config.drawdown_stop
            && self.stop.close(stop, equity)
        {
            self.pending.clear();
            self.replace_holdings(|_| Target::exit(Cause::DrawdownStop));
        }
    }

    /// Sets a target for each holding, from its value.
    fn replace_holdings(&mut self, target: impl Fn(f64) -> Target) {
        for asset in 0..self.ledger.shares.len() {
            // A position that the stop could not sell yet is to be sold whole all the same.
            let leaves = |waits: Target| waits.cause == Cause::DrawdownStop;
            if self.ledger.shares[asset] != 0.0 && !self.pending.get(asset).is_some_and(leaves) {
                self.pending.insert(asset, target(self.ledger.value(asset)));
            }
        }
    }

    fn drop_order(&mut self, day: usize, asset: usize, reason: DropReason, carried: bool) {
        if self.record == Record::Everything {
            let (day, asset) = (day as u32, asset as u32);
            self.outcome.dropped.push(Dropped { day, asset, reason, carried });
        }
    }
}
