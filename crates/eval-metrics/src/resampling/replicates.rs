use rayon::prelude::*;

use crate::MetricError;
use crate::resampling::Bootstrap;
use crate::resampling::replicate_rng::ReplicateRng;

/// The statistic of each replicate of `count` values, in the order of the replicates; `None` where
/// it has no value.
///
/// `statistic` gets a replicate's indices and a scratch space that a thread makes once and keeps.
///
/// # Errors
/// Any error of the statistic but [`MetricError::Undefined`] and [`MetricError::TooFew`], which
/// chance may bring about; the first one in the order of the replicates.
pub(crate) fn replicates<S: Send>(
    count: usize,
    bootstrap: &Bootstrap,
    scratch: impl Fn() -> S + Sync,
    statistic: impl Fn(&[usize], &mut S) -> Result<f64, MetricError> + Sync,
) -> Result<Vec<Option<f64>>, MetricError> {
    let found: Vec<Result<Option<f64>, MetricError>> = (0..bootstrap.replicates)
        .into_par_iter()
        .map_init(
            || (vec![0; count], scratch()),
            |(indices, scratch), replicate| {
                let mut rng = ReplicateRng::new(bootstrap.seed, replicate);
                bootstrap.resampling.draw(&mut rng, indices);
                match statistic(indices, scratch) {
                    Ok(value) => Ok(value.is_finite().then_some(value)),
                    Err(MetricError::Undefined { .. } | MetricError::TooFew { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            },
        )
        .collect();
    found.into_iter().collect()
}

/// The statistic with each value left out in turn; `statistic` gets the other ones' indices.
///
/// # Errors
/// The first error of the statistic.
pub(crate) fn jackknife<S: Send>(
    count: usize,
    scratch: impl Fn() -> S + Sync,
    statistic: impl Fn(&[usize], &mut S) -> Result<f64, MetricError> + Sync,
) -> Result<Vec<f64>, MetricError> {
    let found: Vec<Result<f64, MetricError>> = (0..count)
        .into_par_iter()
        .map_init(
            || (Vec::with_capacity(count), scratch()),
            |(indices, scratch), left_out| {
                indices.clear();
                indices.extend(0..left_out);
                indices.extend(left_out + 1..count);
                statistic(indices, scratch)
            },
        )
        .collect();
    found.into_iter().collect()
}
