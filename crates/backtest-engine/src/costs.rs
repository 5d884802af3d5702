use serde::{Deserialize, Serialize};
use thesis_core::{Bps, Usd};

/// What trading and borrowing cost.
///
/// An order of `q` shares at the price `P` buys at `P·(1 + slippage)` and sells at
/// `P·(1 − slippage)`; its fee is `fee·q·price + fixed_fee`, of the price that it got.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Costs {
    /// Fee on the value of an order.
    pub fee_bps: Bps,
    /// Fee per order, whatever its size.
    pub fixed_fee: Usd,
    /// How much worse than the bar's price an order fills.
    pub slippage_bps: Bps,
    /// Fee on the value of short positions, per year of 365 calendar days.
    pub borrow_bps: Bps,
    /// Interest on borrowed cash and on charges still owed, per year of 365 calendar days.
    pub margin_bps: Bps,
}

impl Default for Costs {
    fn default() -> Self {
        let bps = |value| Bps::new(value).unwrap_or_default();
        Self {
            fee_bps: bps(1.0),
            fixed_fee: Usd::ZERO,
            slippage_bps: bps(5.0),
            borrow_bps: bps(50.0),
            margin_bps: bps(600.0),
        }
    }
}

impl Costs {
    /// Trading for nothing.
    pub const FREE: Self = Self {
        fee_bps: Bps::ZERO,
        fixed_fee: Usd::ZERO,
        slippage_bps: Bps::ZERO,
        borrow_bps: Bps::ZERO,
        margin_bps: Bps::ZERO,
    };

    /// The price that an order of this sign gets where the bar says `price`.
    #[inline]
    pub(crate) fn slipped(&self, price: f64, quantity: f64) -> f64 {
        let slippage = self.slippage_bps.fraction();
        if quantity > 0.0 { price * (1.0 + slippage) } else { price * (1.0 - slippage) }
    }

    /// The fee of an order at the price that it got.
    #[inline]
    pub(crate) fn fee(&self, quantity: f64, price: f64) -> f64 {
        self.fee_bps.fraction() * quantity.abs() * price + self.fixed_fee.value()
    }

    /// The shares that `cash` buys at the price that it gets, fees included; 0 for none.
    #[inline]
    pub(crate) fn affordable(&self, cash: f64, price: f64) -> f64 {
        let cash = cash - self.fixed_fee.value();
        (cash / (price * (1.0 + self.fee_bps.fraction()))).max(0.0)
    }

    /// Borrow fee on `short_value` and interest on `debt` over `days` calendar days.
    pub(crate) fn carry(&self, short_value: f64, debt: f64, days: i64) -> (f64, f64) {
        let years = days as f64 / 365.0;
        let borrow = short_value * self.borrow_bps.fraction() * years;
        (borrow, debt * self.margin_bps.fraction() * years)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs() -> Costs {
        let bps = |value| Bps::new(value).expect("a rate");
        Costs {
            fee_bps: bps(5.0),
            fixed_fee: Usd::new(1.0).expect("dollars"),
            slippage_bps: bps(10.0),
            borrow_bps: bps(365.0),
            margin_bps: bps(730.0),
        }
    }

    #[test]
    fn buys_pay_more_and_sales_get_less() {
        let costs = costs();
        assert_eq!((costs.slipped(100.0, 1.0), costs.slipped(100.0, -1.0)), (100.1, 99.9));
        assert!((costs.fee(-200.0, 50.0) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_affordable_leaves_nothing_and_owes_nothing() {
        let costs = costs();
        let quantity = costs.affordable(10_001.0, 50.0);
        let spent = quantity * 50.0 + costs.fee(quantity, 50.0);
        assert!((spent - 10_001.0).abs() < 1e-9, "{spent}");
        assert_eq!(costs.affordable(0.5, 50.0), 0.0);
    }

    #[test]
    fn carrying_costs_run_over_calendar_days() {
        // 3.65 % of 1,000 over a weekend of three days, and 7.3 % of 500.
        let (borrow, interest) = costs().carry(1_000.0, 500.0, 3);
        assert!((borrow - 0.3).abs() < 1e-12 && (interest - 0.3).abs() < 1e-12);
    }
}
