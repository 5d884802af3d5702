use chrono::NaiveDate;

use crate::MetricError;
use crate::returns::PeriodsPerYear;

/// What the statistics of a report are computed from.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReturnSample<'a> {
    /// Simple returns as fractions, oldest first: 0.01 is 1 %.
    pub returns: &'a [f64],
    /// The day of each return, ascending.
    pub dates: Option<&'a [NaiveDate]>,
    /// The benchmark's return of the same periods.
    pub benchmark: Option<&'a [f64]>,
    /// What was bought and sold, and the equity it is measured against.
    pub trading: Option<Trading<'a>>,
    /// Rates and levels.
    pub options: ReturnOptions,
}

/// Value traded and equity, each one number a period and in the same currency.
#[derive(Debug, Clone, Copy)]
pub struct Trading<'a> {
    /// Buys plus sells.
    pub traded: &'a [f64],
    /// Equity.
    pub equity: &'a [f64],
}

/// Rates and levels that statistics of returns need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReturnOptions {
    /// Returns a year.
    pub periods_per_year: PeriodsPerYear,
    /// Risk-free rate **per period** as a fraction; see
    /// [`simple_rate_per_period`](crate::returns::simple_rate_per_period).
    pub risk_free: f64,
    /// Return per period, as a fraction, below which downside risk, Sortino and omega see a loss.
    pub target: f64,
    /// Share of the periods in the tail of VaR and CVaR.
    pub tail: f64,
}

impl Default for ReturnOptions {
    fn default() -> Self {
        let periods_per_year = PeriodsPerYear::DAILY;
        Self { periods_per_year, risk_free: 0.0, target: 0.0, tail: 0.05 }
    }
}

impl<'a> ReturnSample<'a> {
    /// The benchmark, or an error that says that there is none.
    pub(crate) fn benchmark(&self) -> Result<&'a [f64], MetricError> {
        self.benchmark.ok_or(MetricError::Undefined { reason: "no benchmark was given" })
    }

    /// The dates, or an error that says that there are none.
    pub(crate) fn dates(&self) -> Result<&'a [NaiveDate], MetricError> {
        self.dates.ok_or(MetricError::Undefined { reason: "no dates were given" })
    }
}
