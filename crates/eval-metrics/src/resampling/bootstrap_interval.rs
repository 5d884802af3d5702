use crate::MetricError;
use crate::resampling::interval::interval;
use crate::resampling::{Bootstrap, BootstrapInterval};
use crate::returns::checks::{check_pair, check_values};

/// The bootstrap interval of a statistic of a series.
///
/// Replicate `i` draws its random numbers from the seed and `i` alone and replicates are put
/// together in order, so that the interval is the same, bit for bit, on any number of threads.
/// A replicate for which the statistic has no value (say, a Sharpe ratio of values that happen to
/// be all the same) is left out and counted. Quantiles are linear between neighbours.
///
/// ```
/// use eval_metrics::resampling::{Bootstrap, Resampling, bootstrap_interval};
/// use eval_metrics::returns::{PeriodsPerYear, sharpe};
///
/// # fn main() -> Result<(), eval_metrics::MetricError> {
/// let returns: Vec<f64> = (0..250).map(|day| (f64::from(day * day % 37) - 17.0) / 1000.0).collect();
/// let bootstrap =
///     Bootstrap { resampling: Resampling::Stationary { mean_block: 5.0 }, ..Bootstrap::default() };
/// let found =
///     bootstrap_interval(&returns, &bootstrap, |values| sharpe(values, 0.0, PeriodsPerYear::DAILY))?;
/// assert!(found.lower < found.estimate && found.estimate < found.upper);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The statistic's own for the values as they are; [`MetricError::Undefined`] where fewer than half
/// of the replicates have a value, or where a BCa interval cannot be had (no replicate on one side
/// of the estimate, or a statistic that does not change when a value is left out);
/// [`MetricError::OutOfRange`] for a setting outside of its range; fewer than two values, or values
/// that are not finite.
pub fn bootstrap_interval(
    values: &[f64],
    bootstrap: &Bootstrap,
    statistic: impl Fn(&[f64]) -> Result<f64, MetricError> + Sync,
) -> Result<BootstrapInterval, MetricError> {
    check_values(values, 2)?;
    interval(values.len(), bootstrap, Vec::new, |indices, scratch: &mut Vec<f64>| {
        gather(values, indices, scratch);
        statistic(scratch)
    })
}

/// The bootstrap interval of a statistic of two series that belong together, such as beta.
///
/// Both series are drawn with the same indices. See [`bootstrap_interval`].
///
/// # Errors
/// As [`bootstrap_interval`], and different lengths.
pub fn paired_bootstrap_interval(
    left: &[f64],
    right: &[f64],
    bootstrap: &Bootstrap,
    statistic: impl Fn(&[f64], &[f64]) -> Result<f64, MetricError> + Sync,
) -> Result<BootstrapInterval, MetricError> {
    check_pair(left, right, 2)?;
    let scratch = || (Vec::new(), Vec::new());
    interval(left.len(), bootstrap, scratch, |indices, (of_left, of_right)| {
        gather(left, indices, of_left);
        gather(right, indices, of_right);
        statistic(of_left, of_right)
    })
}

/// The bootstrap interval of `statistic(left) − statistic(right)` for two series that belong
/// together, such as a strategy's Sharpe ratio over its benchmark's.
///
/// Both series are drawn with the same indices. See [`bootstrap_interval`].
///
/// # Errors
/// As [`bootstrap_interval`], and different lengths.
pub fn bootstrap_difference(
    left: &[f64],
    right: &[f64],
    bootstrap: &Bootstrap,
    statistic: impl Fn(&[f64]) -> Result<f64, MetricError> + Sync,
) -> Result<BootstrapInterval, MetricError> {
    paired_bootstrap_interval(left, right, bootstrap, |left, right| {
        Ok(statistic(left)? - statistic(right)?)
    })
}

/// The bootstrap interval of a statistic of `count` things of any kind, such as the accuracy of
/// calls: the statistic gets the indices of those that a replicate consists of.
///
/// See [`bootstrap_interval`].
///
/// # Errors
/// As [`bootstrap_interval`].
pub fn bootstrap_interval_of_indices(
    count: usize,
    bootstrap: &Bootstrap,
    statistic: impl Fn(&[usize]) -> Result<f64, MetricError> + Sync,
) -> Result<BootstrapInterval, MetricError> {
    interval(count, bootstrap, || (), |indices, ()| statistic(indices))
}

fn gather(values: &[f64], indices: &[usize], gathered: &mut Vec<f64>) {
    gathered.clear();
    gathered.extend(indices.iter().map(|&index| values[index]));
}
