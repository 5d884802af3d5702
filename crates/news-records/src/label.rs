use thesis_core::{Action, Bar};

use crate::price_window::ratio_prices;
use crate::{NewsConfig, Thresholds};

/// What came after the as-of close.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Label {
    /// The call that would have been right.
    pub(crate) action: Action,
    /// Simple return from the as-of close to the close at the horizon, a fraction.
    pub(crate) forward_return: f64,
    /// From 0.5 to 0.99: how clearly the move stands out from the stock's own noise.
    pub(crate) confidence: f64,
}

/// Labels the as-of session by the bar at the horizon.
///
/// z is the forward return over `volatility · √horizon`, the deviation that returns without memory
/// have over that many days; the thresholds cut it into actions.
pub(crate) fn label(as_of: &Bar, ahead: &Bar, volatility: f64, config: &NewsConfig) -> Label {
    let prices = ratio_prices(&[*as_of, *ahead]);
    let forward_return = prices[1] / prices[0] - 1.0;
    let z = forward_return / (volatility * (config.horizon as f64).sqrt());
    Label { action: action(z, &config.thresholds), forward_return, confidence: confidence(z) }
}

fn action(z: f64, thresholds: &Thresholds) -> Action {
    match z {
        z if z >= thresholds.strong_buy => Action::StrongBuy,
        z if z >= thresholds.buy => Action::Buy,
        z if z > thresholds.sell => Action::Hold,
        z if z > thresholds.strong_sell => Action::Sell,
        _ => Action::StrongSell,
    }
}

/// Confidence in the direction of the target, `1 / (1 + exp(−|z|))`, at most 0.99.
///
/// The logistic function with unit slope takes |z| as the log-odds that the move was no noise: a
/// move of zero gives even odds, 0.5 of a deviation 0.62, 1.5 give 0.82. Source: the logistic link
/// of Berkson (1944); the slope is a convention, not an estimate. The cap keeps two decimals from
/// writing certainty.
fn confidence(z: f64) -> f64 {
    (1.0 / (1.0 + (-z.abs()).exp())).min(0.99)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bounds_belong_to_the_stronger_call() {
        let thresholds = Thresholds::default();
        for (z, want) in [
            (1.5, Action::StrongBuy),
            (1.49, Action::Buy),
            (0.5, Action::Buy),
            (0.49, Action::Hold),
            (0.0, Action::Hold),
            (-0.49, Action::Hold),
            (-0.5, Action::Sell),
            (-1.49, Action::Sell),
            (-1.5, Action::StrongSell),
            (-9.0, Action::StrongSell),
        ] {
            assert_eq!(action(z, &thresholds), want, "{z}");
        }
    }

    #[test]
    fn confidence_in_known_places() {
        for (z, want) in [(0.0, 0.5), (0.5, 0.622), (-0.5, 0.622), (1.5, 0.818), (50.0, 0.99)] {
            assert!((confidence(z) - want).abs() < 1e-3, "{z}");
        }
    }

    proptest! {
        #[test]
        fn confidence_grows_with_the_move(a in -9.0..9.0_f64, b in -9.0..9.0_f64) {
            let (small, large) = if a.abs() < b.abs() { (a, b) } else { (b, a) };
            prop_assert!(confidence(small) <= confidence(large));
            prop_assert!(confidence(small) >= 0.5 && confidence(large) < 1.0);
        }
    }
}
