//! The decoder: blocks of attention and feed-forward between an embedding and a head.

mod attention;
mod batch;
mod block;
mod cache;
mod causal_lm;
mod feed_forward;
mod norm;
mod parameters;
mod residual;
mod token_rows;

pub use attention::{Attention, QkvProjections};
pub use block::{BlockInputs, DecoderBlock};
pub use cache::KvCache;
pub use causal_lm::CausalLm;
pub(crate) use causal_lm::Parts;
pub use feed_forward::{FeedForward, GateUpProjections};
pub use norm::RmsNorm;
pub use parameters::ParameterMut;
pub use residual::Residual;
pub use token_rows::TokenRows;
