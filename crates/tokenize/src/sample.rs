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
pub struct EncodedSample {
    /// The record's `uid`.
    pub uid: String,
    /// Its call.
    pub action: Action,
    /// Its weight, where the data set has weights.
    pub weight: Option<f32>,
    /// Its tokens.
    pub example: Example,
}
