use eval_metrics::calibration::tempered_probabilities;

/// Logarithms further than this below the highest of their row are taken for this far: e⁻⁷⁰⁰ is all
/// but 0, and minus infinity could not be fitted.
const LOWEST: f64 = -700.0;

/// The probabilities of the five actions among themselves: softmax(z/T) of their logarithms. `None`
/// where no logarithm is finite, where one is NaN or above all numbers, or where the temperature is
/// not above 0.
pub fn action_probabilities(log_probs: &[f64; 5], temperature: f64) -> Option<[f64; 5]> {
    let log_probs = finite_log_probs(log_probs)?;
    tempered_probabilities(&log_probs, temperature).ok()?.try_into().ok()
}

/// The logarithms relative to the highest, none of them below [`LOWEST`].
pub(crate) fn finite_log_probs(log_probs: &[f64; 5]) -> Option<[f64; 5]> {
    let highest = log_probs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_good = highest.is_finite() && !log_probs.iter().any(|z| z.is_nan());
    is_good.then(|| log_probs.map(|z| (z - highest).max(LOWEST)))
}
