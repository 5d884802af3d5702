//! Volatility target and Kelly, over the returns 0.1, −0.1, 0.1: mean 1/30, variance 1/75.

use backtest_engine::{DropReason, EngineError, EntryPrice, Sizing};
use thesis_core::Action::{Buy, Sell, StrongBuy, StrongSell};

use crate::support::{World, near, trades};

const UP: [f64; 5] = [100.0, 110.0, 99.0, 108.9, 108.9];
const DOWN: [f64; 5] = [100.0, 90.0, 99.0, 89.1, 89.1];

const VOLATILITY: Sizing = Sizing::VolatilityTarget { annual_target: 0.2, window: 3, max_pct: 1.0 };
const KELLY: Sizing = Sizing::Kelly { fraction: 0.1, window: 3, max_pct: 1.0 };

fn sized(closes: &[f64], sizing: Sizing) -> World {
    World::new(&[("A", closes)]).with(|config| {
        config.sizing = sizing;
        config.shorts = true;
    })
}

/// The share of equity that a call of session 3 comes to.
fn share(closes: &[f64; 5], sizing: Sizing, action: thesis_core::Action) -> f64 {
    let outcome = sized(closes, sizing).call(3, "A", action).run();
    assert_eq!(outcome.dropped, []);
    outcome.fills.first().map_or(0.0, |fill| fill.quantity * closes[3] / 1_000.0)
}

#[test]
fn volatility_target() {
    // 0.2 / (√(1/75) · √252) = 0.2 / √3.36.
    near(share(&UP, VOLATILITY, StrongBuy), 0.2 / 3.36_f64.sqrt());
    near(share(&UP, VOLATILITY, Buy), 0.1 / 3.36_f64.sqrt());
    near(share(&UP, VOLATILITY, StrongSell), -0.2 / 3.36_f64.sqrt());
    let much = Sizing::VolatilityTarget { annual_target: 9.0, window: 3, max_pct: 0.7 };
    near(share(&UP, much, StrongBuy), 0.7);
}

#[test]
fn kelly_fraction() {
    // 0.1 · (1/30) / (1/75) = 0.25.
    near(share(&UP, KELLY, StrongBuy), 0.25);
    near(share(&UP, KELLY, Buy), 0.125);
    near(share(&DOWN, KELLY, StrongSell), -0.25);
    let full = Sizing::Kelly { fraction: 1.0, window: 3, max_pct: 0.8 };
    near(share(&UP, full, StrongBuy), 0.8);
}

#[test]
fn a_negative_edge_is_zero() {
    assert_eq!(share(&DOWN, KELLY, StrongBuy), 0.0);
    assert_eq!(share(&UP, KELLY, StrongSell), 0.0);
    // For what is held zero means to sell it.
    let closes = [100.0, 110.0, 99.0, 108.9, 98.01, 98.01];
    let world = sized(&closes, KELLY).call(3, "A", StrongBuy).call(4, "A", StrongBuy);
    let outcome = world.run();
    assert_eq!(outcome.fills.len(), 2);
    near(outcome.fills[0].quantity + outcome.fills[1].quantity, 0.0);
}

#[test]
fn estimates_end_before_the_day_of_the_fill() {
    for sizing in [VOLATILITY, KELLY] {
        let at = |close: f64| {
            let closes = [100.0, 110.0, 99.0, 108.9, close];
            let world = sized(&closes, sizing).call(4, "A", StrongBuy);
            world.with(|config| config.entry_price = EntryPrice::Close).run().fills[0].quantity
        };
        assert_eq!(at(108.9), at(60.0));
        near(at(60.0) * 108.9 / 1_000.0, share(&UP, sizing, StrongBuy));
    }
}

#[test]
fn one_return_or_no_variance_is_no_estimate() {
    for sizing in [VOLATILITY, KELLY] {
        // Two returns are known, three are asked for.
        let short = sized(&UP, sizing).call(2, "A", StrongBuy).run();
        assert_eq!((short.fills.len(), short.dropped[0].reason), (0, DropReason::NoHistory));
        for closes in [[100.0; 5], [100.0, 110.0, 121.0, 133.1, 133.1]] {
            let still = sized(&closes, sizing).call(3, "A", StrongBuy).run();
            assert_eq!((still.fills.len(), still.dropped[0].reason), (0, DropReason::NoHistory));
        }
    }
    for sizing in [
        Sizing::VolatilityTarget { annual_target: 0.2, window: 1, max_pct: 1.0 },
        Sizing::Kelly { fraction: 0.2, window: 0, max_pct: 1.0 },
        Sizing::FixedPct { pct: f64::NAN },
        Sizing::FixedPct { pct: -0.1 },
    ] {
        let config = backtest_engine::BacktestConfig { sizing, ..Default::default() };
        assert!(matches!(config.validate(), Err(EngineError::Setting { .. })), "{sizing:?}");
    }
}

#[test]
fn closing_needs_no_estimate() {
    let world = sized(&[100.0, 110.0, 99.0, 108.9, 108.9, 108.9], KELLY)
        .with(|config| config.shorts = false)
        .call(3, "A", StrongBuy)
        .call(4, "A", Sell);
    // Without enough history for 9 returns a sale works, a buy does not.
    let mut outcome = world.run();
    assert_eq!(outcome.fills.len(), 2);
    near(outcome.fills.remove(1).quantity, -250.0 / 108.9);
}

#[test]
fn a_gap_joins_the_closes_around_it() {
    let gap = [100.0, 110.0, f64::NAN, 99.0, 108.9, 108.9];
    let outcome = sized(&gap, KELLY).call(4, "A", StrongBuy).run();
    near(outcome.fills[0].quantity * 108.9 / 1_000.0, 0.25);
}

#[test]
fn strength_is_a_factor() {
    let world = sized(&UP, KELLY).strong_call(3, "A", StrongBuy, 0.4);
    near(world.run().fills[0].quantity * 108.9 / 1_000.0, 0.1);
    let zero = sized(&UP, KELLY).strong_call(3, "A", StrongBuy, 0.0);
    assert!(trades(&zero.run()).is_empty());
}
