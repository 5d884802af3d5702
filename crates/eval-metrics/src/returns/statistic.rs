use crate::MetricError;
use crate::returns::{Convention, ReturnSample};

/// A line of the report: what a statistic means, and how a sample gives its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statistic {
    pub(crate) convention: Convention,
    pub(crate) compute: fn(&ReturnSample<'_>) -> Result<f64, MetricError>,
}
