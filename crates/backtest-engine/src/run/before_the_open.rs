use super::{NEVER, Run};
use crate::{Cause, CorporateAction, Fill, Record};

impl Run<'_> {
    /// Charges for the days since the last session, corporate actions, and the base of sizing.
    pub(super) fn before_the_open(&mut self, day: usize) {
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
}
