//! One fill against the rules of prices, lots and limits.

use backtest_engine::{Cause, Cut, Fill};

use super::{Books, Session, close_to};

impl Books<'_> {
    pub(super) fn fill(
        &mut self,
        session: &Session<'_>,
        fill: &Fill,
        bar_price: f64,
        gross: &mut f64,
    ) {
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
}
