use super::of_weights;
use crate::{Calls, EngineError, Market};

/// An equal share of equity in each security of the market, bought after its first close and kept.
///
/// # Errors
/// None for a valid market.
pub fn buy_and_hold(market: &Market) -> Result<Calls, EngineError> {
    let (days, width) = (market.dates().len(), market.tickers().len());
    let mut weights = vec![f64::NAN; days * width];
    for asset in 0..width {
        if let Some(first) = (0..days).find(|day| !market.closes(*day)[asset].is_nan()) {
            weights[first * width + asset] = 1.0 / width as f64;
        }
    }
    of_weights(market, &weights)
}
