use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::resampling::Resampling;
use crate::returns::checks::check_parameter;

/// How a bootstrap interval is computed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// How replicates are drawn.
    pub resampling: Resampling,
    /// How an interval is made of them.
    pub interval: IntervalMethod,
    /// The share of samples whose interval should hold the true value, such as 0.95.
    pub confidence: f64,
    /// How many replicates are drawn.
    pub replicates: usize,
    /// The same seed gives the same interval, bit for bit, on any number of threads.
    pub seed: u64,
}

/// How an interval is made of replicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// The quantiles of the replicates. Source: Efron (1979).
    #[default]
    Percentile,
    /// The quantiles mirrored at the estimate. Source: Davison and Hinkley (1997), equation 5.6.
    Basic,
    /// Quantiles that allow for bias and for a standard error that changes with the estimate
    /// (bias-corrected and accelerated). Source: Efron (1987).
    ///
    /// The acceleration is that of a jackknife that leaves out one value at a time, under block
    /// resampling too, as in the Python package arch: it sees the skewness of single values, not
    /// that of blocks. It evaluates the statistic once for each value.
    Bca,
}

/// An estimate and its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BootstrapInterval {
    /// The statistic of the values as they are.
    pub estimate: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// The interval's upper end.
    pub upper: f64,
    /// The standard deviation (ddof 1) of the replicates.
    pub standard_error: f64,
    /// The mean of the replicates minus the estimate.
    pub bias: f64,
    /// Replicates that the interval is made of.
    pub replicates: usize,
    /// Replicates for which the statistic has no value; they are left out.
    pub undefined: usize,
}

impl Default for Bootstrap {
    /// 2,000 independent replicates, a 95 % percentile interval, seed 0.
    fn default() -> Self {
        Self {
            resampling: Resampling::Iid,
            interval: IntervalMethod::Percentile,
            confidence: 0.95,
            replicates: 2_000,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// Refuses what cannot be done with `count` values.
    pub(crate) fn check(&self, count: usize) -> Result<(), MetricError> {
        let Self { resampling, interval: _, confidence, replicates, seed: _ } = *self;
        if count < 2 {
            return Err(MetricError::TooFew { needed: 2, got: count });
        }
        resampling.check(count)?;
        let is_valid = confidence > 0.0 && confidence < 1.0;
        check_parameter("the confidence", confidence, "between 0 and 1", is_valid)?;
        let is_valid = replicates >= 2;
        check_parameter("the number of replicates", replicates as f64, "2 and above", is_valid)
    }
}
