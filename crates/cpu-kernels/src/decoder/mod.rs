//! What a decoder does besides products: norms, rotary positions, gates, attention, their gradients, and the cache of keys
//! and values.

mod attention;
mod cache_lines;
mod gate;
mod gate_backward;
mod kv_cache;
mod norm;
mod norm_backward;
mod rope;
mod span;
#[cfg(test)]
mod tests;

pub use attention::{
    AttentionShape, attention, attention_backward, attention_with_lse, cached_attention,
};
pub use gate::{Activation, gate};
pub use gate_backward::gate_backward;
pub use kv_cache::{KvDtype, KvLayer};
pub use norm::rms_norm;
pub use norm_backward::rms_norm_backward;
pub use rope::{Rotary, rope, rope_backward};
pub use span::Span;
