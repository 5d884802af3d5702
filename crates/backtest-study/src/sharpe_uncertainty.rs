use eval_metrics::resampling::{
    Bootstrap, BootstrapInterval, IntervalMethod, Resampling, bootstrap_interval,
    optimal_block_length,
};
use eval_metrics::returns::{ReturnOptions, sharpe};
use eval_metrics::significance::probabilistic_sharpe;
use serde::Serialize;

/// How far luck reaches in an annualized Sharpe ratio. What cannot be computed is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SharpeUncertainty {
    /// Stationary block bootstrap, percentile interval.
    pub interval: Option<BootstrapInterval>,
    /// Mean length of its blocks in sessions, by the rule of Politis and White (2004).
    pub mean_block: Option<f64>,
    /// The share of samples whose interval should hold the true value.
    pub confidence: f64,
    /// Of the bootstrap.
    pub seed: u64,
    /// The probability that the true ratio is above 0, of Bailey and López de Prado (2012).
    pub probability_above_zero: Option<f64>,
}

/// How far luck reaches in the Sharpe ratio of daily returns.
pub fn sharpe_uncertainty(
    returns: &[f64],
    options: ReturnOptions,
    replicates: usize,
    confidence: f64,
    seed: u64,
) -> SharpeUncertainty {
    let ReturnOptions { risk_free, periods_per_year, .. } = options;
    let mean_block = optimal_block_length(returns).ok().map(|length| length.stationary.max(1.0));
    let interval = mean_block.and_then(|mean_block| {
        let bootstrap = Bootstrap {
            resampling: Resampling::Stationary { mean_block },
            interval: IntervalMethod::Percentile,
            confidence,
            replicates,
            seed,
        };
        let statistic = |sample: &[f64]| sharpe(sample, risk_free, periods_per_year);
        bootstrap_interval(returns, &bootstrap, statistic).ok()
    });
    let probability_above_zero = probabilistic_sharpe(returns, risk_free, 0.0).ok();
    SharpeUncertainty { interval, mean_block, confidence, seed, probability_above_zero }
}
