use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::returns::checks::{check_lengths, check_parameter, check_values};
use crate::returns::moments::mean;
use crate::significance::TestResult;
use crate::significance::distributions::{student_t_beyond, student_t_cdf};

/// How a Diebold-Mariano test is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DieboldMariano {
    /// Periods that the forecasts look ahead, from 1; errors of `h` steps ahead depend on the
    /// `h − 1` before.
    pub horizon: usize,
    /// How the variance of the mean allows for that.
    pub kernel: LagWindow,
    /// Whether to shrink the statistic as Harvey, Leybourne and Newbold (1997) do.
    pub small_sample_correction: bool,
}

/// The weights of autocovariances in a long-run variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LagWindow {
    /// 1 for every lag below the horizon: Diebold and Mariano's own, which may come out negative.
    #[default]
    Rectangular,
    /// `1 − lag/horizon` for every lag below the horizon: never negative.
    Bartlett,
}

/// What a forecast's error costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForecastLoss {
    /// The error's square.
    Squared,
    /// The error's magnitude.
    Absolute,
}

impl Default for DieboldMariano {
    /// One step ahead, with the small-sample correction.
    fn default() -> Self {
        Self { horizon: 1, kernel: LagWindow::Rectangular, small_sample_correction: true }
    }
}

/// Diebold-Mariano test of two forecasts' losses, from their difference period by period.
///
/// The null hypothesis is that both forecasts lose as much on average. The statistic is
/// `mean(d)/√(V/n)`, below 0 where the first forecast is the better one, with `V` the long-run
/// variance of `d` up to lag `h − 1` (autocovariances divided by n); with the correction it is
/// multiplied by `√((n + 1 − 2h + h(h − 1)/n)/n)`. P-values are from Student's t with `n − 1`
/// degrees of freedom, with and without the correction, as in the Python package dieboldmariano
/// and R's forecast; Diebold and Mariano's normal distribution gives smaller ones.
///
/// Source: Diebold and Mariano (1995); Harvey, Leybourne and Newbold (1997).
///
/// # Errors
/// [`MetricError::Undefined`] where the losses differ by the same amount in every period (such as
/// for identical forecasts), or where the variance comes out negative, which
/// [`LagWindow::Bartlett`] cannot; [`MetricError::OutOfRange`] for a horizon that is 0 or as
/// long as the series; fewer than two values, or values that are not finite.
pub fn diebold_mariano(
    loss_differences: &[f64],
    test: &DieboldMariano,
) -> Result<TestResult, MetricError> {
    let DieboldMariano { horizon, kernel, small_sample_correction } = *test;
    check_values(loss_differences, 2)?;
    // As long as the series, the correction would leave a statistic of 0 whatever the losses.
    let is_valid = (1..loss_differences.len()).contains(&horizon);
    let range = "1 and above, below the number of periods";
    check_parameter("the horizon", horizon as f64, range, is_valid)?;

    let count = loss_differences.len() as f64;
    let mean = mean(loss_differences.iter().copied());
    let covariance = |lag: usize| {
        let later = loss_differences[lag..].iter();
        let products = later.zip(loss_differences).map(|(a, b)| (a - mean) * (b - mean));
        products.sum::<f64>() / count
    };
    let variance = covariance(0);
    let largest = loss_differences.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    if variance.sqrt() <= 16.0 * f64::EPSILON * largest {
        let reason = "the losses differ by the same amount in every period";
        return Err(MetricError::Undefined { reason });
    }
    let long_run = (1..horizon).fold(variance, |sum, lag| {
        let weight = match kernel {
            LagWindow::Rectangular => 1.0,
            LagWindow::Bartlett => 1.0 - lag as f64 / horizon as f64,
        };
        sum + 2.0 * weight * covariance(lag)
    });
    if long_run <= 0.0 {
        let reason = "the long-run variance is not above 0; take the Bartlett lag window";
        return Err(MetricError::Undefined { reason });
    }
    let mut statistic = mean / (long_run / count).sqrt();
    if small_sample_correction {
        let steps = horizon as f64;
        let factor = (count + 1.0 - 2.0 * steps + steps * (steps - 1.0) / count) / count;
        statistic *= factor.sqrt();
    }
    Ok(student_t_result(statistic, count - 1.0))
}

/// The loss of the first forecast minus that of the second, period by period; the input of
/// [`diebold_mariano`].
///
/// For a loss of your own, take the difference yourself.
///
/// # Errors
/// Different lengths, no values, or values that are not finite.
pub fn loss_differences(
    actual: &[f64],
    first: &[f64],
    second: &[f64],
    loss: ForecastLoss,
) -> Result<Vec<f64>, MetricError> {
    check_lengths(actual.len(), first.len())?;
    check_lengths(actual.len(), second.len())?;
    for values in [actual, first, second] {
        check_values(values, 1)?;
    }
    let cost = |error: f64| match loss {
        ForecastLoss::Squared => error * error,
        ForecastLoss::Absolute => error.abs(),
    };
    let forecasts = first.iter().zip(second);
    let pairs = actual.iter().zip(forecasts);
    Ok(pairs
        .map(|(actual, (first, second))| cost(actual - first) - cost(actual - second))
        .collect())
}

/// P-values of a statistic that follows Student's t.
pub(crate) fn student_t_result(statistic: f64, degrees_of_freedom: f64) -> TestResult {
    TestResult {
        statistic,
        p_value: student_t_beyond(statistic, degrees_of_freedom),
        p_less: student_t_cdf(statistic, degrees_of_freedom),
        p_greater: student_t_cdf(-statistic, degrees_of_freedom),
    }
}
