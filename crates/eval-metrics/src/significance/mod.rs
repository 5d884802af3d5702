//! Whether a difference could be luck.
//!
//! Sharpe ratios here are **per period** wherever a function takes or compares them; annual ones
//! are divided by the root of the periods a year first.

mod deflated_sharpe;
mod diebold_mariano;
pub(crate) mod distributions;
mod mcnemar;
mod minimum_track_record;
mod paired_t;
mod probabilistic_sharpe;
mod sharpe_standard_error;
mod sign_test;
mod test_result;

pub use deflated_sharpe::{deflated_sharpe, deflated_sharpe_of_trials, expected_maximum_sharpe};
pub use diebold_mariano::{
    DieboldMariano, ForecastLoss, LagWindow, diebold_mariano, loss_differences,
};
pub use mcnemar::{McNemar, mcnemar};
pub use minimum_track_record::minimum_track_record;
pub use paired_t::paired_t;
pub use probabilistic_sharpe::probabilistic_sharpe;
pub use sharpe_standard_error::sharpe_standard_error;
pub use sign_test::sign_test;
pub use test_result::TestResult;
