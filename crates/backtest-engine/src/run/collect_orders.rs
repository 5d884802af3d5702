use std::ops::Range;

use super::{Run, Venue};
use crate::orders::Order;
use crate::pending::Target;
use crate::{Cause, DropReason, MissingBar};

impl Run<'_> {
    /// Sets an exit for each position whose holding period is over.
    pub(super) fn end_holding_periods(&mut self, day: usize) {
        for asset in 0..self.exits.len() {
            // Day after day until it is done: another order may come first.
            let is_over = self.exits[asset] <= day as u32 && self.ledger.shares[asset] != 0.0;
            if is_over && self.pending.get(asset).is_none() {
                self.pending.insert(asset, Target::exit(Cause::HoldingPeriod));
            }
        }
    }

    /// Makes orders of what waits, where no call of `call_day` takes its place.
    pub(super) fn collect_pending(
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
    pub(super) fn collect_calls(&mut self, venue: &Venue<'_>, call_day: usize) {
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
    pub(crate) fn drop_calls(&mut self, day: usize, call_days: Range<usize>, reason: DropReason) {
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
    pub(super) fn give_way(&mut self, asset: usize) {
        if !self.pending.is_empty()
            && self.pending.get(asset).is_some_and(|target| !target.cause.is_forced())
        {
            self.pending.remove(asset);
        }
    }
}
