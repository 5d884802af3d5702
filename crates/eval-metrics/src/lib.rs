//! Metrics of calls, texts, rankings and returns: one file a metric, pure functions over slices.
//!
//! Every function says which convention it follows, since programs disagree on nearly all of them.
//! What cannot be computed is a [`MetricError`] that says why, never a silent NaN or 0.

pub mod calibration;
pub mod calls;
pub mod classification;
mod error;
mod paired;
pub mod ranking;
pub mod regression;
pub mod resampling;
pub mod returns;
mod sample;
pub mod significance;
pub mod text;

pub use error::MetricError;
