use thesis_core::{Action, Record};

use crate::Example;

/// A record of a data set, with what it counts in training.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The record.
    pub record: Record,
    /// Its weight, where the data set has weights.
    pub weight: Option<f32>,
}

/// A record as a shard holds it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncodedSample {
    /// The record's `uid`.
    pub(crate) uid: String,
    /// Its call.
    pub(crate) action: Action,
    /// Its weight, where the data set has weights.
    pub(crate) weight: Option<f32>,
    /// Its tokens.
    pub(crate) example: Example,
}
