use super::{NEVER, Run, Venue};
use crate::orders::Order;
use crate::trailing::average_volume;
use crate::{Cause, Cut, DropReason, Fill, Record};

/// An order of less than this share of equity is rounding: it would count as a trade and be none.
const ROUNDING: f64 = 1e-12;

impl Run<'_> {
    /// Fills what was collected, sales first.
    pub(super) fn fill_orders(&mut self, venue: &Venue<'_>) {
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
}
