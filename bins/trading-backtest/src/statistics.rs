use anyhow::Context;
use backtest_engine::Outcome;
use chrono::NaiveDate;
use eval_metrics::MetricError;
use eval_metrics::resampling::{
    Bootstrap, BootstrapInterval, IntervalMethod, Resampling, bootstrap_interval,
    optimal_block_length,
};
use eval_metrics::returns::{
    PeriodsPerYear, ReturnOptions, ReturnSample, ReturnStatistics, Trading,
    compound_rate_per_period, return_statistics, sharpe,
};
use eval_metrics::significance::probabilistic_sharpe;
use serde::Serialize;

use crate::config::BacktestSettings;

/// A run as a series of returns, with its statistics.
#[derive(Debug, Clone)]
pub(crate) struct Performance {
    pub(crate) dates: Vec<NaiveDate>,
    /// Of each session; the first is measured against the initial cash.
    pub(crate) returns: Vec<f64>,
    pub(crate) equity: Vec<f64>,
    pub(crate) statistics: ReturnStatistics,
}

/// How far luck reaches: of the Sharpe ratio, annualized.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct SharpeUncertainty {
    /// Stationary block bootstrap, percentile interval.
    pub(crate) interval: Option<BootstrapInterval>,
    /// Mean length of its blocks, by the rule of Politis and White (2004).
    pub(crate) mean_block: Option<f64>,
    pub(crate) confidence: f64,
    pub(crate) seed: u64,
    /// The probability that the true ratio is above 0, of Bailey and López de Prado (2012).
    pub(crate) probability_above_zero: Option<f64>,
}

/// The rates and levels of the settings.
pub(crate) fn options(settings: &BacktestSettings) -> anyhow::Result<ReturnOptions> {
    let periods_per_year =
        PeriodsPerYear::new(settings.periods_per_year).context("`periods_per_year`")?;
    let risk_free = compound_rate_per_period(settings.risk_free_annual, periods_per_year)
        .context("`risk_free_annual`")?;
    Ok(ReturnOptions { periods_per_year, risk_free, ..ReturnOptions::default() })
}

/// The simple returns of equity, the first against the cash that the run began with.
pub(crate) fn returns_of(equity: &[f64], initial_cash: f64) -> Vec<f64> {
    let before = std::iter::once(&initial_cash).chain(equity);
    equity.iter().zip(before).map(|(now, before)| now / before - 1.0).collect()
}

/// The statistics of a run, held against a benchmark's returns where there is one.
pub(crate) fn performance(
    outcome: &Outcome,
    initial_cash: f64,
    benchmark: Option<&[f64]>,
    options: ReturnOptions,
) -> Performance {
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
    Performance { dates, returns, equity, statistics }
}

/// The annualized Sharpe ratio of a run.
pub(crate) fn sharpe_of(
    outcome: &Outcome,
    initial_cash: f64,
    options: ReturnOptions,
) -> Result<f64, MetricError> {
    let equity: Vec<f64> = outcome.days.iter().map(|day| day.equity).collect();
    sharpe(&returns_of(&equity, initial_cash), options.risk_free, options.periods_per_year)
}

/// How far luck reaches. What cannot be computed is left out.
pub(crate) fn sharpe_uncertainty(
    returns: &[f64],
    settings: &BacktestSettings,
    options: ReturnOptions,
) -> SharpeUncertainty {
    let mean_block = optimal_block_length(returns).ok().map(|length| length.stationary.max(1.0));
    let interval = mean_block.and_then(|mean_block| {
        let bootstrap = Bootstrap {
            resampling: Resampling::Stationary { mean_block },
            interval: IntervalMethod::Percentile,
            confidence: settings.bootstrap.confidence,
            replicates: settings.bootstrap.replicates,
            seed: settings.seed,
        };
        let statistic =
            |sample: &[f64]| sharpe(sample, options.risk_free, options.periods_per_year);
        bootstrap_interval(returns, &bootstrap, statistic).ok()
    });
    SharpeUncertainty {
        interval,
        mean_block,
        confidence: settings.bootstrap.confidence,
        seed: settings.seed,
        probability_above_zero: probabilistic_sharpe(returns, options.risk_free, 0.0).ok(),
    }
}
