//! What moves trainable values: AdamW, learning-rate schedules, clipping by global norm.
//!
//! All of it works on flat `f32` slices: [`AdamW`] sees the concatenation of its [`Group`]s, and
//! keeps its own state, in f32 or in [8 bits](StateDtype::Blockwise8). [`AdamW::state`] and
//! [`AdamW::from_state`] carry that state through a file without losing a bit. [`Schedule`] is a
//! pure function of the step. Nothing here reads a file or a clock, and the number of threads
//! changes no result.

mod adamw;
mod blockwise;
mod config;
mod dynamic_map;
mod error;
mod gradient_norm;
mod schedule;
mod state;
mod update;

pub use adamw::AdamW;
pub use blockwise::{BLOCK, MIN_BLOCKWISE_LEN};
pub use config::{AdamWConfig, Group};
pub use dynamic_map::{DynamicMap, SIGNED_MAP, UNSIGNED_MAP};
pub use error::OptimizerError;
pub use gradient_norm::{clip_factor, clip_to_norm, global_norm};
pub use schedule::{Schedule, ScheduleKind};
pub use state::{Buffer, NamedBuffer, OptimizerState, StateDtype};
pub use update::AdamWStep;
