//! A second ledger, written from the contract alone: it replays the fills of a run over the rows of
//! the market and holds every figure and every rule against them. It shares no code with the engine.

mod fill;
mod kept;
mod size;

use std::collections::BTreeMap;

use backtest_engine::{Cause, CorporateAction, Day, EntryPrice, Fill, Outcome};
use thesis_core::Action;

use super::World;

/// Panics at the first figure or rule that does not hold.
#[track_caller]
pub(crate) fn audit(world: &World, outcome: &Outcome) {
    let width = world.tickers.len();
    let mut books = Books {
        world,
        outcome,
        calls: call_cells(world),
        splits: splits(world),
        shares: vec![0.0; width],
        last: vec![f64::NAN; width],
        last_bar: vec![None; width],
        wealth: world.config.initial_cash.value(),
        renewed: vec![None; width],
        peak: world.config.initial_cash.value(),
        out: None,
        sell_all: false,
        margin_call: false,
        next_fill: 0,
    };
    for (index, day) in outcome.days.iter().enumerate() {
        books.session(index, day);
    }
    assert_eq!(books.next_fill, outcome.fills.len(), "fills after the last day");
    books.calls_after_the_end_are_told();
    match outcome.ended {
        Some(end) => assert_eq!(Some(end.date), outcome.days.last().map(|day| day.date)),
        None => assert_eq!(outcome.days.len(), world.dates.len()),
    }
}

struct Books<'a> {
    world: &'a World,
    outcome: &'a Outcome,
    /// Action and strength by session and security.
    calls: BTreeMap<(usize, usize), (Action, f64)>,
    /// Session, security, ratio.
    splits: Vec<(usize, usize, f64)>,
    shares: Vec<f64>,
    last: Vec<f64>,
    last_bar: Vec<Option<usize>>,
    /// Cash less what is owed.
    wealth: f64,
    /// The session on which a call last opened, changed or confirmed a position.
    renewed: Vec<Option<usize>>,
    peak: f64,
    /// Sessions since the stop.
    out: Option<u32>,
    sell_all: bool,
    margin_call: bool,
    next_fill: usize,
}

/// What holds during one session's fills.
struct Session<'a> {
    index: usize,
    day: &'a Day,
    base: f64,
    floor: f64,
    scale: f64,
}

impl Books<'_> {
    fn session(&mut self, index: usize, day: &Day) {
        let world = self.world;
        let config = &world.config;
        assert_eq!(day.date, world.dates[index]);
        let gross: f64 = self.values().map(f64::abs).sum();
        let scale = config.initial_cash.value().max(self.wealth.abs()).max(gross);

        let (borrow, interest) = self.charges(index);
        close_to(day.borrow, borrow, scale, "borrow");
        close_to(day.interest, interest, scale, "interest");
        self.wealth -= borrow + interest;

        let (dividends, paid_out) = self.corporate_actions(index);
        close_to(day.dividends, dividends, scale, "dividends");

        let base = (self.wealth + self.values().sum::<f64>()).max(0.0);
        let floor = (1.0 - config.limits.leverage) * base;
        let session = Session { index, day, base, floor, scale };
        let held: Vec<f64> = self.values().collect();
        let held_shares = self.shares.clone();
        let fills = self.fills_of(index);
        let at_close = |fill: &Fill| {
            config.entry_price == EntryPrice::Close
                && !matches!(fill.cause, Cause::DrawdownStop | Cause::MarginCall)
        };
        let split = fills.iter().position(at_close).unwrap_or(fills.len());
        assert!(
            fills[split..].iter().all(|f| at_close(f) || config.entry_price != EntryPrice::Close)
        );
        let mut traded = vec![0.0; self.shares.len()];
        let mut sums = [0.0; 3];
        for (phase, prices, entry) in [
            (&fills[..split], &world.open[index], EntryPrice::NextOpen),
            (&fills[split..], &world.close[index], EntryPrice::Close),
        ] {
            if config.entry_price == entry {
                self.calls_are_kept(&session, phase);
            }
            let mut seen = Vec::new();
            let mut bought = false;
            let mut gross: f64 = self.values().map(f64::abs).sum();
            for fill in phase {
                assert!(!seen.contains(&fill.asset), "two orders at once: {fill:?}");
                seen.push(fill.asset);
                assert!(!(bought && fill.quantity < 0.0), "a sale after a buy: {fill:?}");
                bought |= fill.quantity > 0.0;
                let asset = fill.asset as usize;
                self.fill(&session, fill, prices[asset], &mut gross);
                traded[asset] += fill.quantity * prices[asset];
                sums[0] += (fill.quantity * prices[asset]).abs();
                sums[1] += fill.fee;
                sums[2] += fill.quantity * (fill.price - prices[asset]);
            }
        }
        for (got, want, name) in [
            (day.traded, sums[0], "traded"),
            (day.fees, sums[1], "fees"),
            (day.slippage, sums[2], "slippage"),
        ] {
            close_to(got, want, scale, name);
        }

        self.drops_are_true(&session, &held_shares);
        for (asset, close) in world.close[index].iter().enumerate() {
            if !close.is_nan() {
                self.last[asset] = *close;
                self.last_bar[asset] = Some(index);
            }
        }
        let now: Vec<f64> = self.values().collect();
        let profit: f64 =
            (0..now.len()).map(|i| now[i] - held[i] - traded[i]).sum::<f64>() + paid_out;
        let net: f64 = now.iter().sum();
        let gross: f64 = now.iter().map(|value| value.abs()).sum();
        let scale = scale.max(gross);
        close_to(day.profit, profit, scale, "profit");
        close_to(day.net, net, scale, "net");
        close_to(day.gross, gross, scale, "gross");
        close_to(day.cash - day.owed, self.wealth, scale, "cash less owed");
        close_to(day.equity, self.wealth + net, scale, "equity");
        assert_eq!(day.positions as usize, self.shares.iter().filter(|s| **s != 0.0).count());
        let before = match index {
            0 => config.initial_cash.value(),
            _ => self.outcome.days[index - 1].equity,
        };
        let change =
            day.profit - day.fees - day.slippage - day.borrow - day.interest + day.dividends;
        close_to(day.equity - before, change, scale, "the change of equity");
        assert!(day.owed >= 0.0);
        if config.limits.leverage == 1.0 {
            assert!(day.cash >= -1e-9 * scale, "cash {} without leverage", day.cash);
        }

        self.exits_are_kept(&session, &held_shares);
        let ends = day.equity <= 0.0;
        let ended_here = self.outcome.ended.is_some() && index + 1 == self.outcome.days.len();
        assert_eq!(ends, ended_here, "equity {}", day.equity);
        let limits = &config.limits;
        self.margin_call = day.gross > 0.0 && day.equity < limits.maintenance_margin * day.gross;
        self.stop(day.equity);
    }

    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let value = |(shares, last): (&f64, &f64)| if *shares == 0.0 { 0.0 } else { shares * last };
        self.shares.iter().zip(&self.last).map(value)
    }

    fn charges(&self, index: usize) -> (f64, f64) {
        if index == 0 {
            return (0.0, 0.0);
        }
        let costs = &self.world.config.costs;
        let dates = &self.world.dates;
        let years = (dates[index] - dates[index - 1]).num_days() as f64 / 365.0;
        let short: f64 = self.values().filter(|value| *value < 0.0).map(|value| -value).sum();
        let debt = (-self.wealth).max(0.0);
        let rate = |bps: thesis_core::Bps| bps.value() / 1e4 * years;
        (short * rate(costs.borrow_bps), debt * rate(costs.margin_bps))
    }

    /// Dividends received, and what delistings brought or cost.
    fn corporate_actions(&mut self, index: usize) -> (f64, f64) {
        let (mut dividends, mut paid_out) = (0.0, 0.0);
        let mut events: Vec<_> = (self.world.events.iter())
            .filter(|event| self.world.session_of(event.date) == Some(index))
            .map(|event| (self.world.asset(event.ticker.as_str()), event.action))
            .collect();
        events.sort_by_key(|(asset, _)| *asset);
        for (asset, action) in events {
            match action {
                CorporateAction::Split(ratio) => {
                    self.shares[asset] *= ratio;
                    self.last[asset] /= ratio;
                }
                CorporateAction::Dividend(amount) => dividends += self.shares[asset] * amount,
                CorporateAction::Delisting(part) => paid_out += self.pay_out(index, asset, part),
            }
        }
        self.wealth += dividends;
        if let Some(after) = self.world.config.delisting.after_sessions {
            for asset in 0..self.shares.len() {
                if self.last_bar[asset].is_some_and(|bar| index - bar > after as usize) {
                    let part = self.world.config.delisting.payout_return;
                    paid_out += self.pay_out(index, asset, part);
                }
            }
        }
        (dividends, paid_out)
    }

    fn pay_out(&mut self, index: usize, asset: usize, part: f64) -> f64 {
        if self.shares[asset] == 0.0 {
            return 0.0;
        }
        let fill = &self.outcome.fills[self.next_fill];
        self.next_fill += 1;
        let (value, price) =
            (self.shares[asset] * self.last[asset], self.last[asset] * (1.0 + part));
        assert_eq!((fill.day as usize, fill.asset as usize), (index, asset));
        assert_eq!((fill.cause, fill.fee, fill.cut), (Cause::Delisting, 0.0, None));
        close_to(fill.quantity, -self.shares[asset], self.shares[asset].abs(), "delisted shares");
        close_to(fill.price, price, self.last[asset], "delisting price");
        self.wealth += self.shares[asset] * price;
        self.shares[asset] = 0.0;
        value * part
    }

    fn fills_of(&mut self, index: usize) -> Vec<Fill> {
        let rest = &self.outcome.fills[self.next_fill..];
        let count = rest.iter().take_while(|fill| fill.day as usize == index).count();
        self.next_fill += count;
        rest[..count].to_vec()
    }

    fn stop(&mut self, equity: f64) {
        self.sell_all = false;
        let Some(stop) = self.world.config.drawdown_stop else { return };
        match &mut self.out {
            Some(sessions) => {
                *sessions += 1;
                if stop.reentry_after.is_some_and(|after| *sessions >= after) {
                    (self.out, self.peak) = (None, equity);
                }
            }
            None => {
                self.peak = self.peak.max(equity);
                if equity <= self.peak * (1.0 - stop.depth) {
                    self.out = Some(0);
                    self.sell_all = true;
                }
            }
        }
    }
}

impl World {
    /// The first session that is not before a date.
    pub(crate) fn session_of(&self, date: chrono::NaiveDate) -> Option<usize> {
        self.dates.iter().position(|session| *session >= date)
    }
}

fn splits(world: &World) -> Vec<(usize, usize, f64)> {
    let split = |event: &backtest_engine::Event| match event.action {
        CorporateAction::Split(ratio) => {
            Some((world.session_of(event.date)?, world.asset(event.ticker.as_str()), ratio))
        }
        _ => None,
    };
    world.events.iter().filter_map(split).collect()
}

/// The latest call of each session and security, weekends and holidays moved to where they fill.
fn call_cells(world: &World) -> BTreeMap<(usize, usize), (Action, f64)> {
    let mut rows: Vec<_> = world.calls.iter().collect();
    rows.sort_by_key(|row| row.date);
    let mut cells = BTreeMap::new();
    for row in rows {
        let Some(asset) = world.tickers.iter().position(|ticker| *ticker == row.ticker) else {
            continue;
        };
        let Some(next) = world.session_of(row.date) else { continue };
        let is_session = world.dates[next] == row.date;
        let session = match world.config.entry_price {
            EntryPrice::NextOpen if !is_session => next.checked_sub(1),
            _ => Some(next),
        };
        if let Some(session) = session {
            cells.insert((session, asset), (row.action, row.strength));
        }
    }
    cells
}

#[track_caller]
fn close_to(got: f64, want: f64, scale: f64, what: &str) {
    assert!((got - want).abs() <= 1e-9 * scale, "{what}: {got} is not {want}");
}
