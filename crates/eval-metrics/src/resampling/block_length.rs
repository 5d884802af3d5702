use serde::Serialize;

use crate::MetricError;
use crate::returns::checks::check_values;
use crate::returns::moments::Spread;

/// Estimates of the best block lengths, in periods; they need not be whole, and may be below 1
/// for values that hardly depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BlockLength {
    /// The mean block length of the stationary bootstrap.
    pub stationary: f64,
    /// The block length of the circular bootstrap.
    pub circular: f64,
}

/// The block lengths at which the bootstrap's standard error of the mean has the least error.
///
/// `(2·g²/d·n)^(1/3)` with flat-top weighted autocovariances up to lag m: `g = Σ λ(k/m)·|k|·γ(k)`,
/// `d = c·(Σ λ(k/m)·γ(k))²`, `λ(x) = min(1, 2(1 − |x|))`, c = 2 for the stationary and 4/3 for the
/// circular bootstrap, at most `⌈min(3√n, n/3)⌉`. m is twice the first lag after which as many as
/// `max(5, log₁₀ n)` autocorrelations in a row are below `2√(log₁₀ n/n)`. This is what the Python
/// package arch 8.0 computes, in which each autocorrelation is over the values that have a pair. For other statistics than a mean, take the lengths of the values that it averages.
///
/// Source: Politis and White (2004), corrected by Patton, Politis and White (2009).
///
/// # Errors
/// [`MetricError::Undefined`] for values that do not vary by more than rounding; fewer than ten
/// values, or values that are not finite.
pub fn optimal_block_length(values: &[f64]) -> Result<BlockLength, MetricError> {
    check_values(values, 10)?;
    let spread = Spread::of(values.iter().copied())?;
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    if spread.std <= 16.0 * f64::EPSILON * largest {
        return Err(MetricError::Undefined { reason: "the values do not vary" });
    }
    let distances: Vec<f64> = values.iter().map(|value| value - spread.mean).collect();
    let (covariances, window) = autocovariances(&distances);

    let count = spread.count;
    let (mut slope, mut variance) = (0.0, covariances[0]);
    for (lag, covariance) in covariances.iter().enumerate().take(window + 1).skip(1) {
        let share = lag as f64 / window as f64;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        slope += 2.0 * weight * lag as f64 * covariance;
        variance += 2.0 * weight * covariance;
    }
    let longest = (3.0 * count.sqrt()).min(count / 3.0).ceil();
    let length = |constant: f64| {
        let ratio = 2.0 * slope * slope / (constant * variance * variance);
        (ratio.cbrt() * count.cbrt()).min(longest)
    };
    Ok(BlockLength { stationary: length(2.0), circular: length(4.0 / 3.0) })
}

/// Autocovariances from lag 0 up to the last one that is looked at, and up to which of them to sum.
fn autocovariances(distances: &[f64]) -> (Vec<f64>, usize) {
    let count = distances.len();
    let in_a_row = (count as f64).log10().floor().max(5.0) as usize;
    let last_lag = ((count as f64).sqrt().ceil() as usize + in_a_row).min(count - 1);
    let band = 2.0 * ((count as f64).log10() / count as f64).sqrt();
    let mut covariances = Vec::with_capacity(last_lag + 1);
    let mut correlations = Vec::with_capacity(last_lag + 1);
    let mut cut = None;
    for lag in 0..=last_lag {
        let pairs = distances[lag..].iter().zip(distances);
        let product: f64 = pairs.map(|(later, earlier)| later * earlier).sum();
        let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
        let scale = squares(&distances[lag + 1..]) * squares(&distances[..count - lag - 1]);
        covariances.push(product / count as f64);
        correlations.push(product.abs() / scale.sqrt());
        if lag >= in_a_row && cut.is_none() {
            let begin = lag - in_a_row;
            let is_small = correlations[begin..lag].iter().all(|value| *value < band);
            cut = is_small.then_some(begin);
        }
    }
    let window = cut.map_or(last_lag, |lag| (2 * lag.max(1)).min(last_lag));
    (covariances, window)
}
