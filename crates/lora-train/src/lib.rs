//! Supervised fine-tuning: steps, checkpoints, resume, adapter export.
//!
//! [`train()`] takes a model of `causal-lm` with adapters on it, rows of [`data`], and [`TrainOptions`], and tells an
//! [`Observer`] what happens. It knows token ids, and nothing of text.

mod actions;
pub mod checkpoint;
pub mod data;
mod error;
mod evaluate;
mod options;
mod report;
mod seeds;
mod snapshot;
mod solver;
mod train;

pub use actions::ActionFinder;
pub use error::TrainError;
pub use evaluate::evaluate;
pub use options::{EarlyStoppingOptions, TrainOptions, TrainedPart, WatchedMetric};
pub use report::{ActionReport, EvaluationReport, Event, StepReport};
pub use solver::{Solver, StepGradient};
pub use train::{Digests, End, Observer, Outcome, Training, train};
