//! Generation: answers of many requests in one flat batch over the KV cache.
//!
//! The engine speaks ids and knows no text. [`Batch`] takes prompts and gives events; a [`StepModel`] is what it asks
//! for logits, and [`CachedModel`] is that for a [`CausalLm`](crate::CausalLm). Sampling is on the host, by the
//! definitions of transformers' logits processors and in their order.

mod answer;
mod batch;
#[cfg(test)]
mod batch_tests;
mod cached_model;
mod candidates;
mod constraint;
mod error;
mod event;
mod exponential;
#[cfg(test)]
mod fake_model;
#[cfg(test)]
mod golden_tests;
mod grammar;
mod log_softmax;
mod pick;
mod random;
mod row;
mod sampling;
mod score;
mod slots;
mod step_model;

pub use answer::{Answer, AnswerId};
pub use batch::{Batch, BatchOptions, StepSize};
pub use cached_model::CachedModel;
pub use constraint::{Constraint, TokenMask, Verdict};
pub use error::{AnyError, GenerateError};
pub use event::{Event, Finish, Happening, Token};
pub use sampling::{Sampling, SamplingOptions};
pub use score::score;
pub use step_model::StepModel;
