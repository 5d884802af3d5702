use std::cmp::Ordering;

use crate::Cause;

/// An order before its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Order {
    /// Value to hold less value held, at the last known close: what orders are sorted by.
    pub(crate) difference: f64,
    /// Value to hold, at the last known close.
    pub(crate) target: f64,
    pub(crate) asset: u32,
    pub(crate) cause: Cause,
}

impl Order {
    /// The largest sale first, then the smallest buy, so that sales pay for buys; among equals by
    /// place in the universe.
    fn order(&self, other: &Self) -> Ordering {
        self.difference.total_cmp(&other.difference).then(self.asset.cmp(&other.asset))
    }
}

pub(crate) fn sort(orders: &mut [Order]) {
    orders.sort_unstable_by(Order::order);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sales_first_then_small_buys() {
        let order =
            |difference, asset| Order { difference, target: 0.0, asset, cause: Cause::Call };
        let mut orders =
            [order(5.0, 0), order(2.0, 4), order(-3.0, 2), order(2.0, 1), order(-9.0, 3)];
        sort(&mut orders);
        assert_eq!(orders.map(|order| order.asset), [3, 2, 1, 4, 0]);
    }
}
