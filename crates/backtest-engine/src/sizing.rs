use serde::{Deserialize, Serialize};

use crate::trailing::{mean_and_variance, returns_before};
use crate::{EngineError, Market};

/// How large a full position is, as a share of equity. Estimates use closes before the day of the
/// fill only.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Sizing {
    /// The same share each time.
    FixedPct {
        /// The share: 0.1 for a tenth of equity.
        pct: f64,
    },
    /// The share at which a position has this volatility: target / (σ·√252), where σ is the sample
    /// standard deviation (ddof 1) of the security's last daily returns, close to close.
    VolatilityTarget {
        /// Volatility of a full position per year, as a share of equity.
        annual_target: f64,
        /// Returns to estimate from.
        window: usize,
        /// Largest share.
        max_pct: f64,
    },
    /// A fraction of Kelly's: fraction · μ / σ², of the mean and the sample variance (ddof 1) of the
    /// security's last daily returns, in the direction of the call. A negative edge is zero.
    ///
    /// Source: Thorp (2006), continuous approximation, risk-free rate 0.
    Kelly {
        /// The share of the full Kelly bet: 0.5 for half.
        fraction: f64,
        /// Returns to estimate from.
        window: usize,
        /// Largest share.
        max_pct: f64,
    },
}

impl Default for Sizing {
    fn default() -> Self {
        Self::FixedPct { pct: 0.1 }
    }
}

impl Sizing {
    /// The share of equity of a full position in the direction of `weight`, for a fill on `day`.
    /// `None` where there is not enough history to estimate from.
    #[inline]
    pub(crate) fn unit(
        &self,
        market: &Market,
        day: usize,
        asset: usize,
        weight: f64,
        returns: &mut Vec<f64>,
    ) -> Option<f64> {
        match *self {
            Self::FixedPct { pct } => Some(pct),
            // Closing needs no estimate.
            _ if weight == 0.0 => Some(0.0),
            Self::VolatilityTarget { annual_target, window, max_pct } => {
                returns_before(market, day, asset, window, returns);
                let (_, variance) = mean_and_variance(returns)?;
                Some((annual_target / (variance * 252.0).sqrt()).min(max_pct))
            }
            Self::Kelly { fraction, window, max_pct } => {
                returns_before(market, day, asset, window, returns);
                let (mean, variance) = mean_and_variance(returns)?;
                let edge = mean * weight.signum();
                Some(if edge > 0.0 { (fraction * edge / variance).min(max_pct) } else { 0.0 })
            }
        }
    }

    pub(crate) fn validate(&self) -> Result<(), EngineError> {
        let at_least_0 = |value: f64| value.is_finite() && value >= 0.0;
        let (numbers, window) = match *self {
            Self::FixedPct { pct } => (vec![("sizing.pct", pct)], None),
            Self::VolatilityTarget { annual_target, window, max_pct } => {
                let numbers =
                    vec![("sizing.annual_target", annual_target), ("sizing.max_pct", max_pct)];
                (numbers, Some(window))
            }
            Self::Kelly { fraction, window, max_pct } => {
                (vec![("sizing.fraction", fraction), ("sizing.max_pct", max_pct)], Some(window))
            }
        };
        if let Some((key, value)) = numbers.into_iter().find(|(_, value)| !at_least_0(*value)) {
            return Err(EngineError::Setting { key, value, expected: "a number of at least 0" });
        }
        match window {
            Some(window) if window < 2 => {
                let (key, expected) = ("sizing.window", "at least 2 returns");
                Err(EngineError::Setting { key, value: window as f64, expected })
            }
            _ => Ok(()),
        }
    }
}
