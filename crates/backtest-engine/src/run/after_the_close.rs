use super::{Run, Totals};
use crate::ledger::{Ledger, Marks};
use crate::pending::Target;
use crate::{Cause, Day, End, EndReason};

impl Run<'_> {
    /// Writes the day down and decides on its close what the next open has to do.
    pub(super) fn after_the_close(&mut self, day: usize, closes: &[f64]) {
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
}
