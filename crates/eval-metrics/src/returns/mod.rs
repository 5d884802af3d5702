//! Statistics of a series of simple returns.
//!
//! Returns are fractions (0.01 is 1 %), oldest first, one a period; a year has 252 periods unless
//! said otherwise ([`PeriodsPerYear`]). Rates and targets are **per period**. Each statistic is one
//! file with its formula and the convention it follows ([`Convention`]); where programs disagree,
//! the other figure has a function of its own name beside it. [`return_statistics()`] computes all
//! of them for a report.
//!
//! ```
//! use eval_metrics::returns::{PeriodsPerYear, max_drawdown, sharpe};
//!
//! # fn main() -> Result<(), eval_metrics::MetricError> {
//! let returns = [-0.10, 0.05, 0.02, -0.01];
//! assert!((max_drawdown(&returns)? + 0.10).abs() < 1e-12);
//! assert!(sharpe(&[0.01; 20], 0.0, PeriodsPerYear::DAILY).is_err(), "no risk, no ratio");
//! # Ok(())
//! # }
//! ```

mod alpha;
mod annualized_volatility;
mod best_day;
mod beta;
mod cagr;
mod calendar_cagr;
mod calmar;
pub(crate) mod checks;
mod conditional_value_at_risk;
mod convention;
mod cumulative_return;
mod dates;
mod downside_risk;
mod drawdown;
mod drawdown_series;
mod excess_kurtosis;
mod hit_ratio;
mod information_ratio;
mod kelly_fraction;
mod longest_drawdown;
mod max_drawdown;
pub(crate) mod moments;
mod monthly_returns;
mod omega;
mod payoff_ratio;
mod periods_per_year;
mod profit_factor;
pub(crate) mod quantile;
mod return_sample;
mod return_statistics;
mod risk_free_rate;
mod rolling_sharpe;
mod rolling_volatility;
pub(crate) mod sharpe;
mod skewness;
mod sliding_spread;
mod sortino;
mod stability;
mod statistic;
mod tail_ratio;
mod tracking_error;
mod turnover;
mod ulcer_index;
mod value_at_risk;
mod wealth;
mod win_rate;
mod worst_day;

pub use alpha::{alpha, simple_alpha};
pub use annualized_volatility::annualized_volatility;
pub use best_day::best_day;
pub use beta::beta;
pub use cagr::cagr;
pub use calendar_cagr::calendar_cagr;
pub use calmar::calmar;
pub use conditional_value_at_risk::{
    conditional_value_at_risk, gaussian_conditional_value_at_risk,
};
pub use convention::{Convention, Unit};
pub use cumulative_return::cumulative_return;
pub use downside_risk::downside_risk;
pub use drawdown::{Drawdown, Moment, drawdowns, worst_drawdowns};
pub use drawdown_series::drawdown_series;
pub use excess_kurtosis::{excess_kurtosis, sample_excess_kurtosis};
pub use hit_ratio::hit_ratio;
pub use information_ratio::{information_ratio, information_ratio_per_period};
pub use kelly_fraction::kelly_fraction;
pub use longest_drawdown::longest_drawdown;
pub use max_drawdown::max_drawdown;
pub use monthly_returns::{YearOfReturns, monthly_returns};
pub use omega::omega;
pub use payoff_ratio::payoff_ratio;
pub use periods_per_year::PeriodsPerYear;
pub use profit_factor::profit_factor;
pub use return_sample::{ReturnOptions, ReturnSample, Trading};
pub use return_statistics::{Missing, ReturnStatistics, StatisticLine, return_statistics};
pub use risk_free_rate::{compound_rate_per_period, simple_rate_per_period};
pub use rolling_sharpe::rolling_sharpe;
pub use rolling_volatility::rolling_volatility;
pub use sharpe::{population_sharpe, sharpe};
pub use skewness::{sample_skewness, skewness};
pub use sortino::sortino;
pub use stability::stability;
pub use tail_ratio::tail_ratio;
pub use tracking_error::tracking_error;
pub use turnover::turnover;
pub use ulcer_index::{sample_ulcer_index, ulcer_index};
pub use value_at_risk::{gaussian_value_at_risk, lower_value_at_risk, value_at_risk};
pub use win_rate::win_rate;
pub use worst_day::worst_day;
