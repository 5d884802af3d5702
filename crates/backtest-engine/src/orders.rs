use crate::Cause;

/// An order before its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Order {
    /// Value to hold, at the last known close.
    pub(crate) target: f64,
    pub(crate) asset: u32,
    pub(crate) cause: Cause,
}

/// The orders of one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    orders: Vec<Order>,
    /// Rank of each order, with its index in the last 32 bits: sorting bare integers takes half the
    /// time of sorting orders by comparison.
    keys: Vec<u128>,
}

impl Orders {
    /// Adds an order that changes the value held by `difference`.
    #[inline]
    pub(crate) fn push(&mut self, difference: f64, order: Order) {
        let index = self.orders.len() as u128;
        let rank = u128::from(rank(difference)) << 64 | u128::from(order.asset) << 32;
        self.keys.push(rank | index);
        self.orders.push(order);
    }

    /// Puts the largest sale first, then the smallest buy, so that sales pay for buys; among equals
    /// by place in the universe.
    pub(crate) fn sort(&mut self) {
        self.keys.sort_unstable();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Order> {
        self.keys.iter().map(|key| &self.orders[*key as u32 as usize])
    }

    /// Empties the list and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.orders.clear();
        self.keys.clear();
    }
}

/// An integer that is ordered as the number is by `total_cmp`.
fn rank(value: f64) -> u64 {
    let bits = value.to_bits();
    // A negative number has its first bit set, and grows as its other bits fall.
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sales_first_then_small_buys() {
        let mut orders = Orders::default();
        for (difference, asset) in [(5.0, 0), (2.0, 4), (-3.0, 2), (2.0, 1), (-9.0, 3)] {
            orders.push(difference, Order { target: 0.0, asset, cause: Cause::Call });
        }
        orders.sort();
        let assets: Vec<u32> = orders.iter().map(|order| order.asset).collect();
        assert_eq!(assets, [3, 2, 1, 4, 0]);
    }

    proptest! {
        #[test]
        fn ranks_are_ordered_as_numbers_are(a: f64, b: f64) {
            prop_assert_eq!(rank(a).cmp(&rank(b)), a.total_cmp(&b));
        }
    }
}
