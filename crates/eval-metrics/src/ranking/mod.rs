//! Orders against orders.

mod correlation;
mod information_coefficient;
mod kendall;
mod ndcg;
mod pearson;
mod precision_at_k;
mod ranks;
mod spearman;
mod tied_groups;

pub use correlation::Correlation;
pub use information_coefficient::{
    Coefficient, InformationCoefficients, LeftOut, LeftOutReason, PeriodCoefficient, ScoredOutcome,
    information_coefficients,
};
pub use kendall::kendall_tau_b;
pub use ndcg::{Gain, ndcg_at_k};
pub use pearson::pearson;
pub use precision_at_k::{precision_at_k, recall_at_k};
pub use ranks::average_ranks;
pub use spearman::spearman;
