//! Rotary position embeddings: how they are set, their frequencies, and the cosines and sines of a batch.

mod config;
mod frequencies;
mod table;

pub use config::{RopeConfig, RopeScaling};
pub use frequencies::{Frequencies, frequencies};
pub(crate) use frequencies::{long_rope_attention_factor, yarn_attention_factor};
pub(crate) use table::RopeTable;
pub use table::Rotation;
