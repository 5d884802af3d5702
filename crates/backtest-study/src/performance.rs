use backtest_engine::Outcome;
use chrono::NaiveDate;
use eval_metrics::returns::{
    ReturnOptions, ReturnSample, ReturnStatistics, Trading, return_statistics,
};

/// A run as a series of returns, with its statistics.
#[derive(Debug, Clone)]
pub struct Performance {
    /// The sessions.
    pub dates: Vec<NaiveDate>,
    /// Simple return of each session; the first is measured against the initial cash.
    pub returns: Vec<f64>,
    /// Equity at each close, in US dollars.
    pub equity: Vec<f64>,
    /// What they come to.
    pub statistics: ReturnStatistics,
}

impl Performance {
    pub(crate) fn of(
        outcome: &Outcome,
        initial_cash: f64,
        benchmark: Option<&[f64]>,
        options: ReturnOptions,
    ) -> Self {
        let dates: Vec<NaiveDate> = outcome.days.iter().map(|day| day.date).collect();
        let equity: Vec<f64> = outcome.days.iter().map(|day| day.equity).collect();
        let traded: Vec<f64> = outcome.days.iter().map(|day| day.traded).collect();
        let returns = returns_of(&equity, initial_cash);
        let sample = ReturnSample {
            returns: &returns,
            dates: Some(&dates),
            // A run that ended early has fewer sessions than its benchmark.
            benchmark: benchmark.and_then(|benchmark| benchmark.get(..returns.len())),
            trading: Some(Trading { traded: &traded, equity: &equity }),
            options,
        };
        let statistics = return_statistics(&sample);
        Self { dates, returns, equity, statistics }
    }
}

/// The simple returns of equity, the first against the cash that the run began with.
///
/// ```
/// let returns = backtest_study::returns_of(&[110.0, 99.0], 100.0);
/// assert!((returns[0] - 0.1).abs() < 1e-12 && (returns[1] + 0.1).abs() < 1e-12);
/// ```
pub fn returns_of(equity: &[f64], initial_cash: f64) -> Vec<f64> {
    let before = std::iter::once(&initial_cash).chain(equity);
    equity.iter().zip(before).map(|(now, before)| now / before - 1.0).collect()
}
