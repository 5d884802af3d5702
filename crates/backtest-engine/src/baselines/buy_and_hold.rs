use super::of_weights;
use crate::{Calls, EngineError, Market};

/// An equal share of equity in each security of the market, bought after its first close from
/// `first` on, and kept.
///
/// # Errors
/// None for a valid market.
pub fn buy_and_hold(market: &Market, first: usize) -> Result<Calls, EngineError> {
    let (days, width) = (market.dates().len(), market.tickers().len());
    let mut weights = vec![f64::NAN; days * width];
    for asset in 0..width {
        if let Some(day) = (first..days).find(|day| !market.closes(*day)[asset].is_nan()) {
            weights[day * width + asset] = 1.0 / width as f64;
        }
    }
    of_weights(market, &weights)
}
