//! What a backtest is held against: baselines, random calls, other costs, other rules, other times.
//!
//! Every study runs the engine many times over one [`Backtest`], in parallel where runs do not wait for
//! each other; all runs share bars and calls, and the result is the same on any number of threads.
//! Nothing is read or written.

mod backtest;
mod baselines;
mod cost_sweep;
mod error;
mod grid;
mod performance;
mod random_calls;
mod sharpe_uncertainty;
mod walk_forward;

pub use backtest::Backtest;
pub use baselines::{Baseline, run_baselines};
pub use cost_sweep::{CostSweep, sweep_costs};
pub use error::StudyError;
pub use grid::{Grid, GridPoint, GridResult, run_grid};
pub use performance::{Performance, returns_of};
pub use random_calls::{RandomCalls, Spread, run_random_calls};
pub use sharpe_uncertainty::{SharpeUncertainty, sharpe_uncertainty};
pub use walk_forward::{Fold, TrainAndTest, WalkForward, Windows, walk_forward};
