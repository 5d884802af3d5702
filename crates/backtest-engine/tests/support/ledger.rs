//! A second ledger, written from the contract alone: it replays the fills of a run over the rows of
//! the market and holds every figure and every rule against them. It shares no code with the engine.

use std::collections::BTreeMap;

use backtest_engine::{
    Cause, CorporateAction, Cut, Day, DropReason, Dropped, EntryPrice, Fill, Outcome, Sizing,
};
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

    fn fill(&mut self, session: &Session<'_>, fill: &Fill, bar_price: f64, gross: &mut f64) {
        let world = self.world;
        let (costs, limits) = (&world.config.costs, &world.config.limits);
        let asset = fill.asset as usize;
        let last = self.last[asset];
        assert!(!bar_price.is_nan() && !last.is_nan(), "no price: {fill:?}");
        assert_ne!(world.volume[session.index][asset], 0.0, "nobody traded: {fill:?}");
        assert!(fill.quantity != 0.0 && fill.cause != Cause::Delisting);
        let slippage = costs.slippage_bps.value() / 1e4 * fill.quantity.signum();
        close_to(fill.price, bar_price * (1.0 + slippage), 1e-3 * bar_price, "fill price");
        let value = fill.quantity.abs() * fill.price;
        let fee = costs.fee_bps.value() / 1e4 * value + costs.fixed_fee.value();
        close_to(fill.fee, fee, fee.abs(), "fee");

        let before = self.shares[asset];
        let after = before + fill.quantity;
        if let Some(lot) = limits.lot {
            let lots = fill.quantity.abs() / lot;
            assert!(after == 0.0 || (lots - lots.round()).abs() < 1e-6, "odd lot: {fill:?}");
        }
        if let Some(fraction) = limits.adv_fraction {
            let most = fraction * self.average_volume(session.index, asset);
            let slack = 1.0 + 1e-9 + limits.lot.unwrap_or(0.0) * 1e-8;
            assert!(fill.quantity.abs() <= most * slack, "{fill:?} over {most} shares");
        }
        let gross_before = *gross;
        *gross += (after.abs() - before.abs()) * last;
        if let Some(max_gross) = limits.max_gross {
            let most = max_gross * session.base;
            let slack = 1e-9 * session.scale + limits.lot.unwrap_or(0.0) * last * 1e-8;
            assert!(
                after.abs() <= before.abs() * (1.0 + 1e-12) || *gross <= most + slack,
                "gross {gross_before} to {gross}, of {most}: {fill:?}"
            );
        }
        assert!(after == 0.0 || value > 1e-13 * session.base, "rounding is no trade: {fill:?}");
        self.wealth -= fill.quantity * fill.price + fill.fee;
        self.shares[asset] = after;
        let cash = self.wealth + session.day.owed;
        let received = -fill.quantity * fill.price - fill.fee;
        assert!(
            received >= 0.0 || cash >= session.floor - 1e-9 * session.scale,
            "cash {cash} below {}: {fill:?}",
            session.floor
        );
        match fill.cause {
            Cause::Call | Cause::Carried => {
                assert!(!self.margin_call && self.out.is_none(), "{fill:?} while out");
                if let Some(most) = limits.max_position
                    && after.abs() > before.abs()
                {
                    let slack = 1e-9 * session.scale + limits.lot.unwrap_or(0.0) * last * 1e-8;
                    assert!((after * last).abs() <= most * session.base + slack, "{fill:?}");
                }
                if fill.cause == Cause::Call {
                    let call = self.call_for(session.index, asset).expect("a call");
                    let weight = self.weight(session.index, asset, call).expect("a weight");
                    let target = weight * session.base / last;
                    let slack = limits.lot.unwrap_or(0.0) + 1e-9 * session.scale / last;
                    let (low, high) = (before.min(target) - slack, before.max(target) + slack);
                    assert!(low <= after && after <= high, "{fill:?}: {before} to {target}");
                    let met = (after - target).abs() <= slack;
                    assert!(met || fill.cut.is_some(), "{fill:?} short of {target}");
                }
                self.renewed[asset] = Some(session.index);
            }
            Cause::HoldingPeriod => {
                let sessions = world.config.holding_sessions.expect("a period") as usize;
                let since = self.renewed[asset].expect("a call");
                let is_over = session.index >= since + sessions;
                assert!(is_over && after.abs() < before.abs(), "{fill:?} since {since}");
            }
            Cause::DrawdownStop => {
                assert!(after.abs() < before.abs() && before * after >= 0.0, "{fill:?}");
            }
            Cause::MarginCall => {
                let less = after.abs() < before.abs() && before * after >= 0.0;
                assert!(self.margin_call && less, "{fill:?} of {before} shares");
            }
            Cause::Delisting => unreachable!("paid out before"),
        }
        match fill.cut {
            None => {}
            Some(Cut::Volume) => assert!(limits.adv_fraction.is_some()),
            Some(Cut::Gross) => assert!(limits.max_gross.is_some()),
            // Not one lot more could be paid for.
            Some(Cut::Cash) => {
                let lot = limits.lot.unwrap_or(0.0) * fill.price * (1.0 + costs.fee_bps.fraction());
                assert!(cash - session.floor <= lot + 1e-9 * session.scale, "{fill:?}");
            }
        }
    }

    /// Each call that the fills of this phase stand for was filled, dropped, or had nothing to do.
    fn calls_are_kept(&mut self, session: &Session<'_>, phase: &[Fill]) {
        for asset in 0..self.shares.len() {
            let Some(call) = self.call_for(session.index, asset) else { continue };
            let filled =
                phase.iter().any(|fill| fill.asset as usize == asset && fill.cause == Cause::Call);
            let dropped = self.drops(session.index).any(|drop| drop.asset as usize == asset);
            let weight = self.weight(session.index, asset, call);
            let nothing_held = self.shares[asset] == 0.0;
            let nothing_to_do = match weight {
                Some(weight) if nothing_held => weight * session.base == 0.0,
                Some(weight) => {
                    let difference = weight * session.base - self.shares[asset] * self.last[asset];
                    difference.abs() <= 1e-9 * session.scale
                }
                None => self.action_weight(call.0) == Some(0.0) && nothing_held,
            };
            assert!(
                filled || dropped || nothing_to_do,
                "session {}, security {asset}: {call:?} is lost",
                session.index
            );
            // A call for what is held confirms it, even where no share can be added.
            let confirmed = weight
                .is_some_and(|weight| weight * session.base * self.shares[asset] > 0.0)
                && !self.margin_call
                && self.drops(session.index).any(|drop| {
                    use DropReason::{BelowOneLot, Cash, Gross, Volume};
                    drop.asset as usize == asset
                        && matches!(drop.reason, BelowOneLot | Cash | Gross | Volume)
                });
            if confirmed || (nothing_to_do && !dropped) {
                self.renewed[asset] = Some(session.index);
            }
        }
    }

    fn drops(&self, index: usize) -> impl Iterator<Item = &Dropped> {
        self.outcome.dropped.iter().filter(move |drop| drop.day as usize == index)
    }

    /// Each drop says what was the case.
    fn drops_are_true(&self, session: &Session<'_>, held: &[f64]) {
        let world = self.world;
        let limits = &world.config.limits;
        for drop in self.drops(session.index) {
            let asset = drop.asset as usize;
            let (open, close) =
                (world.open[session.index][asset], world.close[session.index][asset]);
            let volume = world.volume[session.index][asset];
            let is_true = match drop.reason {
                DropReason::MissingBar => open.is_nan() || close.is_nan(),
                DropReason::ZeroVolume => volume == 0.0,
                DropReason::NoPriceYet => self.last[asset].is_nan(),
                DropReason::NoHistory => !matches!(world.config.sizing, Sizing::FixedPct { .. }),
                DropReason::BelowOneLot => limits.lot.is_some(),
                // Cash of the day's end tells nothing of the moment, but something was bought or
                // there was little to begin with; a fee may also exceed what a sale brings.
                DropReason::Cash => true,
                DropReason::Gross => limits.max_gross.is_some(),
                DropReason::Volume => limits.adv_fraction.is_some(),
                DropReason::Stopped => self.out.is_some(),
                DropReason::MarginCall => self.margin_call && self.out.is_none(),
                DropReason::NoNextSession => session.index + 1 == world.dates.len(),
                DropReason::RunEnded => session.day.equity <= 0.0,
                other => panic!("{other:?} is for rows, not orders"),
            };
            assert!(is_true, "{drop:?} of {} shares", held[asset]);
            if drop.carried {
                assert!(!matches!(drop.reason, DropReason::NoPriceYet | DropReason::Stopped));
            }
        }
    }

    /// Where a run ended early, each call that was not due yet is dropped, and no other.
    fn calls_after_the_end_are_told(&self) {
        let told =
            self.outcome.dropped.iter().filter(|drop| drop.reason == DropReason::RunEnded).count();
        let Some(last) = self.outcome.ended.and(self.outcome.days.len().checked_sub(1)) else {
            return assert_eq!(told, 0);
        };
        let first = match self.world.config.entry_price {
            EntryPrice::NextOpen => last,
            EntryPrice::Close => last + 1,
        };
        let is_order = |((day, asset), (action, _)): (&(usize, usize), &(Action, f64))| {
            let weight = self.action_weight(*action);
            *day >= first && weight.is_some_and(|w| w != 0.0 || self.shares[*asset] != 0.0)
        };
        assert_eq!(told, self.calls.iter().filter(|call| is_order(*call)).count());
    }

    /// Stops and holding periods closed what they could.
    fn exits_are_kept(&mut self, session: &Session<'_>, held: &[f64]) {
        let config = &self.world.config;
        let index = session.index;
        // What may hold an exit back: nobody to sell to, or no cash for a fee or to cover.
        let free = |asset: usize| {
            let price = match config.entry_price {
                EntryPrice::Close if !self.sell_all => self.world.close[index][asset],
                _ => self.world.open[index][asset],
            };
            !price.is_nan()
                && self.world.volume[index][asset] != 0.0
                && config.limits.adv_fraction.is_none()
                && config.costs.fixed_fee.value() == 0.0
                && held[asset] > 0.0
        };
        for asset in 0..held.len() {
            if self.sell_all && free(asset) {
                assert_eq!(self.shares[asset], 0.0, "session {index}: {asset} outlives the stop");
            }
            let (Some(sessions), Some(since)) = (config.holding_sessions, self.renewed[asset])
            else {
                continue;
            };
            let over = since + sessions as usize;
            let called = (since + 1..=index).any(|day| self.call_for(day, asset).is_some());
            let fill_today = self.outcome.fills.iter().any(|fill| {
                (fill.day as usize, fill.asset as usize) == (index, asset)
                    && matches!(fill.cause, Cause::Call | Cause::Carried)
            });
            // A margin call has the day to itself, and the stop sells at an open or not at all.
            let other = called || fill_today || self.margin_call || self.out.is_some();
            if index >= over && !other && free(asset) {
                assert_eq!(self.shares[asset], 0.0, "session {index}: {asset} outlives its period");
            }
        }
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

    /// The call, HOLD aside, that a fill of this session is for.
    fn call_for(&self, index: usize, asset: usize) -> Option<(Action, f64)> {
        let day = match self.world.config.entry_price {
            EntryPrice::NextOpen => index.checked_sub(1)?,
            EntryPrice::Close => index,
        };
        self.calls.get(&(day, asset)).copied().filter(|(action, _)| *action != Action::Hold)
    }

    fn action_weight(&self, action: Action) -> Option<f64> {
        let weights = &self.world.config.action_weights;
        let weight = match action {
            Action::StrongBuy => weights.strong_buy,
            Action::Buy => weights.buy,
            Action::Hold => return None,
            Action::Sell => weights.sell,
            Action::StrongSell => weights.strong_sell,
        };
        Some(if self.world.config.shorts || weight > 0.0 { weight } else { 0.0 })
    }

    /// The share of equity that a call asks for; `None` where nothing can be estimated.
    fn weight(&self, index: usize, asset: usize, call: (Action, f64)) -> Option<f64> {
        let weight = self.action_weight(call.0)?;
        let unit = match self.world.config.sizing {
            Sizing::FixedPct { pct } => pct,
            _ if weight == 0.0 => 0.0,
            Sizing::VolatilityTarget { annual_target, window, max_pct } => {
                let (_, variance) = self.estimate(index, asset, window)?;
                (annual_target / variance.sqrt() / 252_f64.sqrt()).min(max_pct)
            }
            Sizing::Kelly { fraction, window, max_pct } => {
                let (mean, variance) = self.estimate(index, asset, window)?;
                let edge = if weight > 0.0 { mean } else { -mean };
                (fraction * edge / variance).clamp(0.0, max_pct)
            }
        };
        let most = self.world.config.limits.max_position.unwrap_or(f64::INFINITY);
        Some((weight * unit * call.1).clamp(-most, most))
    }

    /// Mean and variance of the last returns before a session, from closes in shares of that day.
    fn estimate(&self, index: usize, asset: usize, window: usize) -> Option<(f64, f64)> {
        let closes: Vec<f64> = (0..index)
            .filter(|day| !self.world.close[*day][asset].is_nan())
            .map(|day| self.world.close[day][asset] / self.ratio(asset, day, index))
            .collect();
        let returns: Vec<f64> = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        let returns = &returns[returns.len().checked_sub(window)?..];
        let mean = returns.iter().sum::<f64>() / window as f64;
        let squares: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
        let variance = squares / (window as f64 - 1.0);
        (variance > 1e-22).then_some((mean, variance))
    }

    /// What a share of the close of session `from` has become before the open of `to`.
    fn ratio(&self, asset: usize, from: usize, to: usize) -> f64 {
        let ratio = |split: &(usize, usize, f64)| {
            if split.1 == asset && from < split.0 && split.0 <= to { split.2 } else { 1.0 }
        };
        self.splits.iter().map(ratio).product()
    }

    fn average_volume(&self, index: usize, asset: usize) -> f64 {
        let known: Vec<f64> = (0..index)
            .map(|day| self.world.volume[day][asset] * self.ratio(asset, day, index))
            .filter(|volume| !volume.is_nan())
            .collect();
        let window = &known[known.len().saturating_sub(self.world.config.limits.adv_window)..];
        window.iter().sum::<f64>() / window.len().max(1) as f64
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
