use super::{month_begins, of_weights};
use crate::{Calls, EngineError, Market};

/// Equal shares of equity in all securities that have a bar, set anew after the first close of each
/// month.
///
/// # Errors
/// None for a valid market.
pub fn equal_weight(market: &Market, first: usize) -> Result<Calls, EngineError> {
    let width = market.tickers().len();
    let mut weights = vec![f64::NAN; market.dates().len() * width];
    for day in month_begins(market, first) {
        let closes = market.closes(day);
        let count = closes.iter().filter(|close| !close.is_nan()).count();
        for (weight, close) in weights[day * width..].iter_mut().zip(closes) {
            if !close.is_nan() {
                *weight = 1.0 / count as f64;
            }
        }
    }
    of_weights(market, &weights)
}
