use serde::{Deserialize, Serialize};

use crate::MetricError;

/// How many returns a year has: 252 for trading days unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct PeriodsPerYear(f64);

impl PeriodsPerYear {
    /// 252 trading days.
    pub const DAILY: Self = Self(252.0);
    /// 52 weeks.
    pub const WEEKLY: Self = Self(52.0);
    /// 12 months.
    pub const MONTHLY: Self = Self(12.0);

    /// Any positive number.
    ///
    /// # Errors
    /// [`MetricError::OutOfRange`] for a number that is not finite and above 0.
    pub fn new(periods: f64) -> Result<Self, MetricError> {
        if periods.is_finite() && periods > 0.0 {
            Ok(Self(periods))
        } else {
            let (name, range) = ("the periods a year", "finite and above 0");
            Err(MetricError::OutOfRange { name, value: periods, range })
        }
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Its square root, by which standard deviations and Sharpe ratios are annualized.
    pub fn sqrt(self) -> f64 {
        self.0.sqrt()
    }
}

impl Default for PeriodsPerYear {
    fn default() -> Self {
        Self::DAILY
    }
}

impl TryFrom<f64> for PeriodsPerYear {
    type Error = MetricError;

    fn try_from(periods: f64) -> Result<Self, MetricError> {
        Self::new(periods)
    }
}

impl From<PeriodsPerYear> for f64 {
    fn from(periods: PeriodsPerYear) -> Self {
        periods.0
    }
}
