use std::f64::consts::{E, EULER_GAMMA};

use crate::MetricError;
use crate::returns::checks::{check_parameter, check_values};
use crate::returns::moments::Spread;
use crate::significance::distributions::normal_quantile;
use crate::significance::probabilistic_sharpe;

/// The highest Sharpe ratio to expect of `trials` strategies that have none: what luck alone
/// brings to the one that is picked.
///
/// `σ·((1 − γ)·Φ⁻¹(1 − 1/N) + γ·Φ⁻¹(1 − 1/(N·e)))`, where `sharpe_std` is the standard deviation of
/// the trials' Sharpe ratios and γ the Euler-Mascheroni constant; 0 for one trial. Per period or
/// annual, as `sharpe_std` is. Trials that resemble each other count as fewer. Source: Bailey and
/// López de Prado (2014), equation 1.
///
/// # Errors
/// [`MetricError::OutOfRange`] for no trials, or a standard deviation that is negative or not
/// finite.
pub fn expected_maximum_sharpe(sharpe_std: f64, trials: usize) -> Result<f64, MetricError> {
    let is_valid = sharpe_std.is_finite() && sharpe_std >= 0.0;
    check_parameter("the standard deviation of the trials", sharpe_std, "0 and above", is_valid)?;
    check_parameter("the number of trials", trials as f64, "1 and above", trials >= 1)?;
    if trials == 1 {
        return Ok(0.0);
    }
    // By symmetry the quantile of 1 − x is that of x with the other sign, without rounding 1 − x.
    let share = 1.0 / trials as f64;
    let (often, rarely) = (-normal_quantile(share), -normal_quantile(share / E));
    Ok(sharpe_std * ((1.0 - EULER_GAMMA) * often + EULER_GAMMA * rarely))
}

/// Deflated Sharpe ratio: how likely it is that the true Sharpe ratio of the strategy picked from
/// `trials` is above what luck alone would bring; between 0 and 1.
///
/// It is [`probabilistic_sharpe`] against [`expected_maximum_sharpe`]. `sharpe_std` is the standard
/// deviation of the trials' Sharpe ratios **per period**. Source: Bailey and López de Prado (2014).
///
/// # Errors
/// As those two.
pub fn deflated_sharpe(
    returns: &[f64],
    risk_free: f64,
    sharpe_std: f64,
    trials: usize,
) -> Result<f64, MetricError> {
    let benchmark = expected_maximum_sharpe(sharpe_std, trials)?;
    probabilistic_sharpe(returns, risk_free, benchmark)
}

/// [`deflated_sharpe`] from the Sharpe ratios per period of all trials, the picked one included;
/// their standard deviation is the sample's (ddof 1).
///
/// # Errors
/// As [`deflated_sharpe`]; fewer than two trials, or ratios that are not finite.
pub fn deflated_sharpe_of_trials(
    returns: &[f64],
    risk_free: f64,
    trial_sharpes: &[f64],
) -> Result<f64, MetricError> {
    check_values(trial_sharpes, 2)?;
    let sharpe_std = Spread::of(trial_sharpes.iter().copied())?.std;
    deflated_sharpe(returns, risk_free, sharpe_std, trial_sharpes.len())
}
