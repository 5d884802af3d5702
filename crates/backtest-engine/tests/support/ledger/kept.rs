//! What became of calls and exits: filled, dropped with a true reason, or nothing to do.

use backtest_engine::{Cause, DropReason, Dropped, EntryPrice, Fill, Sizing};
use thesis_core::Action;

use super::{Books, Session};

impl Books<'_> {
    /// Each call that the fills of this phase stand for was filled, dropped, or had nothing to do.
    pub(super) fn calls_are_kept(&mut self, session: &Session<'_>, phase: &[Fill]) {
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

    pub(super) fn drops(&self, index: usize) -> impl Iterator<Item = &Dropped> {
        self.outcome.dropped.iter().filter(move |drop| drop.day as usize == index)
    }

    /// Each drop says what was the case.
    pub(super) fn drops_are_true(&self, session: &Session<'_>, held: &[f64]) {
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
    pub(super) fn calls_after_the_end_are_told(&self) {
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
    pub(super) fn exits_are_kept(&mut self, session: &Session<'_>, held: &[f64]) {
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
}
