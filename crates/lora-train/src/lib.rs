//! Supervised fine-tuning: steps, checkpoints, resume, adapter export.

pub mod checkpoint;
pub mod data;
