//! Bootstrap intervals of any statistic, for values that depend on each other or not.

mod block_length;
mod bootstrap;
mod bootstrap_interval;
mod interval;
mod replicate_rng;
mod replicates;
mod resampling_scheme;

pub use block_length::{BlockLength, optimal_block_length};
pub use bootstrap::{Bootstrap, BootstrapInterval, IntervalMethod};
pub use bootstrap_interval::{
    bootstrap_difference, bootstrap_interval, bootstrap_interval_of_indices,
    paired_bootstrap_interval,
};
pub use resampling_scheme::Resampling;
