/// Cash, shares and what they were last worth. Amounts are in US dollars.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(crate) cash: f64,
    /// Charges that cash could not pay yet.
    pub(crate) owed: f64,
    /// Shares of each security; negative for short.
    pub(crate) shares: Vec<f64>,
    /// The last known close of each security; 0 where none is known.
    pub(crate) last: Vec<f64>,
}

/// What holdings are worth at their last known closes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Marks {
    pub(crate) net: f64,
    pub(crate) gross: f64,
    /// What the move to these closes brought.
    pub(crate) profit: f64,
    pub(crate) positions: u32,
}

impl Ledger {
    pub(crate) fn new(cash: f64, tickers: usize) -> Self {
        Self { cash, owed: 0.0, shares: vec![0.0; tickers], last: vec![0.0; tickers] }
    }

    /// What a holding is worth at its last known close.
    #[inline]
    pub(crate) fn value(&self, asset: usize) -> f64 {
        self.shares[asset] * self.last[asset]
    }

    /// Takes the closes of a session, NaN where there is none, and values all holdings.
    pub(crate) fn mark(&mut self, closes: &[f64]) -> Marks {
        // Eight sums side by side: one alone would wait for each addition before the next.
        const LANES: usize = 8;
        let (mut net, mut gross, mut profit) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let mut positions = [0_u32; LANES];
        let holdings = self.last.chunks_mut(LANES).zip(self.shares.chunks(LANES));
        for ((last, shares), closes) in holdings.zip(closes.chunks(LANES)) {
            for (lane, ((last, shares), close)) in
                last.iter_mut().zip(shares).zip(closes).enumerate()
            {
                let now = if close.is_nan() { *last } else { *close };
                let value = shares * now;
                net[lane] += value;
                gross[lane] += value.abs();
                profit[lane] += shares * (now - *last);
                positions[lane] += u32::from(*shares != 0.0);
                *last = now;
            }
        }
        Marks {
            net: net.iter().sum(),
            gross: gross.iter().sum(),
            profit: profit.iter().sum(),
            positions: positions.iter().sum(),
        }
    }

    /// Books an order: `quantity` shares at `price`, which has the slippage in it.
    #[inline]
    pub(crate) fn trade(&mut self, asset: usize, quantity: f64, price: f64, fee: f64) {
        self.cash -= quantity * price + fee;
        self.shares[asset] += quantity;
    }

    /// Books an amount received, or, where it is negative, owed. What cash above `floor` cannot pay
    /// stays owed.
    pub(crate) fn receive(&mut self, amount: f64, floor: f64) {
        if amount >= 0.0 {
            self.cash += amount;
        } else {
            self.owed -= amount;
        }
        let paid = self.owed.min((self.cash - floor).max(0.0));
        self.cash -= paid;
        self.owed -= paid;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_at_the_last_known_close() {
        let mut ledger = Ledger::new(0.0, 11);
        ledger.mark(&[10.0; 11]);
        ledger.shares[0] = 2.0;
        ledger.shares[10] = -1.0;
        let mut closes = [f64::NAN; 11];
        closes[10] = 15.0;
        let marks = ledger.mark(&closes);
        assert_eq!(marks, Marks { net: 5.0, gross: 35.0, profit: -5.0, positions: 2 });
        assert_eq!((ledger.value(0), ledger.value(10)), (20.0, -15.0));
    }

    #[test]
    fn charges_wait_for_cash() {
        let mut ledger = Ledger::new(10.0, 0);
        ledger.receive(-15.0, 0.0);
        assert_eq!((ledger.cash, ledger.owed), (0.0, 5.0));
        ledger.receive(7.0, 0.0);
        assert_eq!((ledger.cash, ledger.owed), (2.0, 0.0));
        ledger.receive(-7.0, -10.0);
        assert_eq!((ledger.cash, ledger.owed), (-5.0, 0.0));
    }
}
