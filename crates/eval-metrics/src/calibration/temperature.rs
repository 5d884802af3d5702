use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::paired::{check_finite, check_lengths};

/// A temperature and what it did to the log loss of the rows that it was fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TemperatureFit {
    /// What logarithms are divided by; above 1 it makes probabilities less sure.
    pub temperature: f64,
    /// The mean −ln p of the true class before, at a temperature of 1.
    pub loss_before: f64,
    /// The same after; never above it.
    pub loss_after: f64,
    /// The end of the range that the temperature was held at, if it was.
    pub bound: Option<TemperatureBound>,
}

/// An end of the range of temperatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemperatureBound {
    /// [`LEAST_TEMPERATURE`]: the top class is nearly always right, and would be best taken for sure.
    Least,
    /// [`MOST_TEMPERATURE`]: the probabilities are worse than none.
    Most,
}

/// The least temperature that is fitted.
pub const LEAST_TEMPERATURE: f64 = 0.01;
/// The highest temperature that is fitted.
pub const MOST_TEMPERATURE: f64 = 100.0;

/// Fits the one temperature T at which softmax(z/T) has the least log loss, for logarithms z of
/// probabilities, up to a constant a row. The order of a row's classes, and with it accuracy, stays.
///
/// The loss is convex in 1/T, so there is one minimum; its slope, the mean of E\[z\] − z of the
/// truth under softmax(z/T), is bisected on a scale of ln T from [`LEAST_TEMPERATURE`] to
/// [`MOST_TEMPERATURE`] until T is known to its last bits. Where the loss keeps falling towards an end
/// of that range, T is that end: the lower one where the truth is the top class of every row
/// (perfect separation, or one class that is always said), the upper one where the logarithms point
/// away from the truth. Where all logarithms of each row are equal no T matters, and it is 1.
///
/// # Shapes
/// `log_probabilities`: one row an example, each of as many logarithms as there are classes;
/// `truth`: one class index an example.
///
/// # Errors
/// [`MetricError::Lengths`], also for rows of different lengths; [`MetricError::TooFew`] without a
/// row; [`MetricError::NotFinite`] with the row's index; [`MetricError::OutOfRange`] for a class.
///
/// Source: Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks",
/// section 4.2.
pub fn temperature<R: AsRef<[f64]>>(
    log_probabilities: &[R],
    truth: &[usize],
) -> Result<TemperatureFit, MetricError> {
    check_rows(log_probabilities, truth)?;
    let rows = || log_probabilities.iter().map(AsRef::as_ref).zip(truth.iter().copied());
    let loss = |temperature: f64| {
        let sum: f64 = rows().map(|(row, class)| row_loss(row, class, temperature)).sum();
        sum / truth.len() as f64
    };
    // Above 0 where a higher temperature loses less.
    let slope = |temperature: f64| -> f64 {
        rows().map(|(row, class)| row_slope(row, class, temperature)).sum()
    };
    let loss_before = loss(1.0);
    let (temperature, bound) = minimum(slope);
    let loss_after = loss(temperature);
    if loss_after > loss_before {
        // By rounding alone: 1 was the minimum already, or no temperature matters.
        let (temperature, bound) = (1.0, None);
        return Ok(TemperatureFit { temperature, loss_before, loss_after: loss_before, bound });
    }
    Ok(TemperatureFit { temperature, loss_before, loss_after, bound })
}

/// The probabilities softmax(z/T) of one row's logarithms.
///
/// # Errors
/// [`MetricError::TooFew`] without a class, [`MetricError::NotFinite`] for a logarithm, and
/// [`MetricError::OutOfRange`] for a temperature that is not above 0.
pub fn tempered_probabilities(
    log_probabilities: &[f64],
    temperature: f64,
) -> Result<Vec<f64>, MetricError> {
    check_lengths(log_probabilities.len(), log_probabilities.len(), 1)?;
    check_finite(log_probabilities)?;
    if !(temperature > 0.0 && temperature.is_finite()) {
        let range = "above 0";
        return Err(MetricError::OutOfRange { name: "temperature", value: temperature, range });
    }
    let weights: Vec<f64> = weights(log_probabilities, temperature).collect();
    let sum: f64 = weights.iter().sum();
    Ok(weights.into_iter().map(|weight| weight / sum).collect())
}

/// Where the slope goes from above 0 to below, in the range of temperatures.
fn minimum(slope: impl Fn(f64) -> f64) -> (f64, Option<TemperatureBound>) {
    if slope(1.0) == 0.0 {
        return (1.0, None);
    }
    if slope(LEAST_TEMPERATURE) <= 0.0 {
        return (LEAST_TEMPERATURE, Some(TemperatureBound::Least));
    }
    if slope(MOST_TEMPERATURE) >= 0.0 {
        return (MOST_TEMPERATURE, Some(TemperatureBound::Most));
    }
    let (mut low, mut high) = (LEAST_TEMPERATURE.ln(), MOST_TEMPERATURE.ln());
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return (middle.exp(), None);
        }
        if slope(middle.exp()) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// exp((z − max z)/T): nothing overflows, and the largest is 1.
fn weights(row: &[f64], temperature: f64) -> impl Iterator<Item = f64> {
    let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter().map(move |z| ((z - highest) / temperature).exp())
}

/// −ln softmax(z/T) of the true class.
fn row_loss(row: &[f64], class: usize, temperature: f64) -> f64 {
    let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    weights(row, temperature).sum::<f64>().ln() + (highest - row[class]) / temperature
}

/// E\[z\] − z of the true class, under softmax(z/T).
fn row_slope(row: &[f64], class: usize, temperature: f64) -> f64 {
    let (mut sum, mut distances) = (0.0, 0.0);
    for (z, weight) in row.iter().zip(weights(row, temperature)) {
        sum += weight;
        distances += weight * (z - row[class]);
    }
    distances / sum
}

fn check_rows<R: AsRef<[f64]>>(rows: &[R], truth: &[usize]) -> Result<(), MetricError> {
    check_lengths(rows.len(), truth.len(), 1)?;
    let classes = rows[0].as_ref().len();
    for (index, (row, class)) in rows.iter().zip(truth).enumerate() {
        let row = row.as_ref();
        if row.len() != classes {
            return Err(MetricError::Lengths { left: classes, right: row.len() });
        }
        check_finite(row).map_err(|_| MetricError::NotFinite { index })?;
        if *class >= classes {
            return Err(MetricError::OutOfRange {
                name: "class",
                value: *class as f64,
                range: "0 to the number of logarithms in a row, without it",
            });
        }
    }
    Ok(())
}
