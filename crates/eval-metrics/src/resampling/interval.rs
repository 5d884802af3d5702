use crate::MetricError;
use crate::resampling::replicates::{jackknife, replicates};
use crate::resampling::{Bootstrap, BootstrapInterval, IntervalMethod};
use crate::returns::moments::{Spread, mean};
use crate::returns::quantile::quantile;
use crate::significance::distributions::{normal_cdf, normal_quantile};

/// The interval of a statistic of indices; see
/// [`bootstrap_interval`](crate::resampling::bootstrap_interval()).
pub(crate) fn interval<S: Send>(
    count: usize,
    bootstrap: &Bootstrap,
    scratch: impl Fn() -> S + Sync,
    statistic: impl Fn(&[usize], &mut S) -> Result<f64, MetricError> + Sync,
) -> Result<BootstrapInterval, MetricError> {
    bootstrap.check(count)?;
    let all: Vec<usize> = (0..count).collect();
    let estimate = statistic(&all, &mut scratch())?;
    if !estimate.is_finite() {
        return Err(MetricError::Undefined { reason: "the statistic is not a finite number" });
    }
    let found = replicates(count, bootstrap, &scratch, &statistic)?;
    let mut values: Vec<f64> = found.iter().copied().flatten().collect();
    let undefined = found.len() - values.len();
    if values.len() < 2 || values.len() < undefined {
        let reason = "fewer than half of the replicates have a value";
        return Err(MetricError::Undefined { reason });
    }
    let spread = Spread::of(values.iter().copied())?;
    let tail = (1.0 - bootstrap.confidence) / 2.0;
    let (lower, upper) = match bootstrap.interval {
        IntervalMethod::Percentile => between(&mut values, tail, 1.0 - tail),
        IntervalMethod::Basic => {
            let (lower, upper) = between(&mut values, tail, 1.0 - tail);
            (2.0 * estimate - upper, 2.0 * estimate - lower)
        }
        IntervalMethod::Bca => {
            let bias = bias_correction(&values, estimate)?;
            let acceleration = acceleration(&jackknife(count, &scratch, &statistic)?)?;
            let corrected = |share: f64| {
                let shifted = bias + normal_quantile(share);
                let stretch = 1.0 - acceleration * shifted;
                if stretch > 0.0 {
                    Ok(normal_cdf(bias + shifted / stretch))
                } else {
                    let reason = "the acceleration is too large for a BCa interval";
                    Err(MetricError::Undefined { reason })
                }
            };
            between(&mut values, corrected(tail)?, corrected(1.0 - tail)?)
        }
    };
    Ok(BootstrapInterval {
        estimate,
        lower,
        upper,
        standard_error: spread.std,
        bias: spread.mean - estimate,
        replicates: values.len(),
        undefined,
    })
}

fn between(values: &mut [f64], low: f64, high: f64) -> (f64, f64) {
    (quantile(values, low).linear, quantile(values, high).linear)
}

/// `Φ⁻¹` of the share of replicates below the estimate. Source: Efron (1987), equation 4.1.
fn bias_correction(values: &[f64], estimate: f64) -> Result<f64, MetricError> {
    let below = values.iter().filter(|value| **value < estimate).count();
    if below == 0 || below == values.len() {
        let reason = "all replicates are on one side of the estimate, so there is no BCa interval";
        return Err(MetricError::Undefined { reason });
    }
    Ok(normal_quantile(below as f64 / values.len() as f64))
}

/// `Σu³/(6·(Σu²)^1.5)` of the jackknife's distances below their mean. Source: Efron and
/// Tibshirani (1993), equation 14.15.
fn acceleration(jackknife: &[f64]) -> Result<f64, MetricError> {
    let center = mean(jackknife.iter().copied());
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in jackknife {
        let distance = center - value;
        squares += distance * distance;
        cubes += distance * distance * distance;
    }
    let found: f64 = cubes / (6.0 * squares * squares.sqrt());
    if found.is_finite() {
        Ok(found)
    } else {
        let reason = "the statistic does not change when a value is left out";
        Err(MetricError::Undefined { reason })
    }
}
